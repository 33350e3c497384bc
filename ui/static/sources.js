// The sources panel. Built node by node: in a template, Gradio would run a "${…}" that stands
// in a document as code.
const make = (name, className, ...children) => {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...children);
  return node;
};
const article = (source) => {
  const parts = source.parts.map((part) => make(part.quoted ? "mark" : "span", "", part.text));
  const text = make("div", "text", make("span", "context", source.before), ...parts);
  text.append(make("span", "context", source.after));
  text.tabIndex = 0;
  const header = make(
    "header",
    "",
    make("span", "number", String(source.number)),
    make("span", "title", source.title),
    make("span", `verdict ${source.verdict_class}`, source.verdict),
    make("div", "place", source.place),
  );
  const made = make("article", "source", header, text);
  made.dataset.number = source.number;
  return made;
};
const show = () => {
  const panel = props.value || { sources: [] };
  const section = element.querySelector(".sources");
  section.replaceChildren(make("h2", "", panel.heading || ""));
  if (panel.note) section.append(make("p", "note", panel.note));
  section.append(...panel.sources.map(article));
  for (const source of section.querySelectorAll(".source")) {
    const chosen = Number(source.dataset.number) === panel.focus;
    source.classList.toggle("focused", chosen);
    const text = source.querySelector(".text");
    const start = text.querySelector("mark") || text.children[1];
    if (start) text.scrollTop = start.offsetTop - text.offsetTop - 24;
    if (chosen) source.scrollIntoView({ block: "nearest" });
  }
};
watch("value", show);
show();
window.addEventListener("rag-cite", (event) => trigger("cite", event.detail));
