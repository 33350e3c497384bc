// The table of documents. Built node by node, for the reason given in sources.js.
const make = (name, className, ...children) => {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...children);
  return node;
};
const row = (entry) =>
  make(
    "tr",
    "",
    make("td", "", entry.title, ...(entry.name === entry.title ? [] : [make("div", "file", entry.name)])),
    make("td", "", entry.language),
    make("td", "", entry.date),
    make("td", "", String(entry.passages)),
  );
const show = () => {
  const listed = props.value || { rows: [], columns: [] };
  const section = element.querySelector(".documents");
  section.replaceChildren(make("p", "note", listed.note || ""));
  if (!listed.rows.length) return;
  const heads = listed.columns.map((column) => {
    const head = make("th", "", column);
    head.scope = "col";
    return head;
  });
  const table = make("table", "", make("thead", "", make("tr", "", ...heads)));
  table.append(make("tbody", "", ...listed.rows.map(row)));
  section.append(table);
};
watch("value", show);
show();
