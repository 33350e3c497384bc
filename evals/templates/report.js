// Shows only the cases that went wrong, or that hold some words.
const cases = [...document.querySelectorAll(".case")];
const search = document.getElementById("search");
const misses = document.getElementById("misses");
function show() {
  const words = search.value.toLowerCase();
  for (const one of cases) {
    const wrong = one.classList.contains("miss");
    one.hidden = (misses.checked && !wrong) || !one.textContent.toLowerCase().includes(words);
  }
}
search.addEventListener("input", show);
misses.addEventListener("change", show);
