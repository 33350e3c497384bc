// The sources panel: tells Python which marker was clicked, and opens at the cited passage.
const open = () => {
  const number = String((props.value || {}).focus || "");
  for (const source of element.querySelectorAll(".source")) {
    const chosen = source.dataset.number === number;
    source.classList.toggle("focused", chosen);
    const text = source.querySelector(".text");
    const quote = text.querySelector("mark");
    const start = quote || text.querySelector(".context + span");
    if (start) text.scrollTop = start.offsetTop - text.offsetTop - 24;
    if (chosen) source.scrollIntoView({ block: "nearest" });
  }
};
watch("value", () => requestAnimationFrame(open));
open();
window.addEventListener("rag-cite", (event) => trigger("cite", event.detail));
