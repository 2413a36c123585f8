// Comfort only: filters that live in the URL, copy buttons, everything opened for printing. The page is whole without it.
"use strict";
(() => {
  const form = document.getElementById("filters");
  const list = document.querySelector(".pipelines");
  const rows = [...document.querySelectorAll("details.pipeline")];
  const apply = document.querySelector("#apply code");
  const fields = form ? [...form.elements].filter((field) => field.name) : [];
  const everything = apply ? apply.textContent : "";

  const matches = (row, wanted) =>
    (!wanted.category || row.dataset.category === wanted.category) &&
    (!wanted.status || row.dataset.status === wanted.status) &&
    (!wanted.file || row.dataset.file === wanted.file) &&
    (!wanted.framework || row.dataset.framework.split("\n").includes(wanted.framework)) &&
    wanted.text.toLowerCase().split(/\s+/).every((word) => row.textContent.toLowerCase().includes(word));

  // Numbers by size, words by the alphabet; what is not known comes last, what is equal stays as written.
  const order = (by) => (one, other) => {
    const [a, b] = [one.dataset[by], other.dataset[by]];
    if (!a || !b) return (a ? 0 : 1) - (b ? 0 : 1);
    return Number.isNaN(+a) ? a.localeCompare(b) : a - b;
  };

  const sort = (by) => {
    const sorted = by ? [...rows].sort(order(by)) : rows;
    if (sorted.some((row, at) => list.children[at + 1] !== row)) list.append(...sorted);
  };

  const show = () => {
    const wanted = Object.fromEntries(fields.map((field) => [field.name, field.value.trim()]));
    sort(wanted.sort);
    for (const row of rows) row.hidden = !matches(row, wanted);
    const shown = rows.filter((row) => !row.hidden).length;
    document.getElementById("shown").textContent = `${shown} of ${rows.length} shown`;
    document.getElementById("nothing").hidden = shown > 0;
    apply.textContent = everything + (wanted.category ? ` --category ${wanted.category}` : "");
    return wanted;
  };

  const remember = () => {
    const wanted = Object.entries(show()).filter(([, value]) => value);
    history.replaceState(null, "", wanted.length ? `#${new URLSearchParams(wanted)}` : location.pathname + location.search);
  };

  // "#category=loose" sets the filters; "#p3" names a pipeline, which must then be seen.
  const obey = () => {
    const hash = location.hash.slice(1);
    const target = document.getElementById(hash);
    if (target) {
      if (target.hidden) form.reset();
      if (target.tagName === "DETAILS") target.open = true;
    } else {
      const wanted = new URLSearchParams(hash);
      for (const field of fields) field.value = wanted.get(field.name) ?? "";
      for (const field of fields) if (field.selectedIndex === -1) field.value = "";
    }
    show();
    if (target) target.scrollIntoView();
  };

  if (form) {
    form.hidden = false;
    form.addEventListener("input", remember);
    form.addEventListener("change", remember);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(remember));
    addEventListener("hashchange", obey);
    obey();
  }

  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = button.previousElementSibling;
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      details.dataset.printed = "";
    }
  });
  addEventListener("afterprint", () => {
    for (const details of document.querySelectorAll("details[data-printed]")) {
      details.open = false;
      delete details.dataset.printed;
    }
  });
})();
