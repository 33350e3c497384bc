// Turns the markers of answers, such as [2], into buttons, in the page alone: the message
// itself stays plain text, so that copying it and reading it aloud stay clean.
(() => {
  const MARKER = /\[(\d{1,3})\]/g;
  const decorate = (answer) => {
    const walker = document.createTreeWalker(answer, NodeFilter.SHOW_TEXT, {
      acceptNode: (node) =>
        node.parentElement.closest("code, pre, a, button")
          ? NodeFilter.FILTER_REJECT
          : NodeFilter.FILTER_ACCEPT,
    });
    const found = [];
    while (walker.nextNode()) {
      MARKER.lastIndex = 0;
      if (MARKER.test(walker.currentNode.data)) found.push(walker.currentNode);
    }
    for (const node of found) {
      const pieces = document.createDocumentFragment();
      let last = 0;
      for (const match of node.data.matchAll(MARKER)) {
        pieces.append(node.data.slice(last, match.index), button(match[1]));
        last = match.index + match[0].length;
      }
      pieces.append(node.data.slice(last));
      node.replaceWith(pieces);
    }
  };
  const button = (number) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "marker";
    made.dataset.number = number;
    made.textContent = `[${number}]`;
    return made;
  };
  const chat = () => document.getElementById("conversation");
  const answers = () => chat()?.querySelectorAll('[data-testid="bot"]') ?? [];
  const turnOf = (answer) =>
    [...chat().querySelectorAll('[data-testid="user"]')].filter(
      (question) => question.compareDocumentPosition(answer) & Node.DOCUMENT_POSITION_FOLLOWING,
    ).length - 1;
  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      answers().forEach(decorate);
    });
  }).observe(document, { childList: true, subtree: true, characterData: true });
  document.addEventListener("click", (event) => {
    const marker = event.target.closest?.("button.marker");
    const answer = marker?.closest('[data-testid="bot"]');
    if (!answer) return;
    const detail = { turn: turnOf(answer), number: Number(marker.dataset.number) };
    window.dispatchEvent(new CustomEvent("rag-cite", { detail }));
  });
})();
