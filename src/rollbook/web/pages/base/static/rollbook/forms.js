// Small conveniences of forms. Everything works without this script, too.
"use strict";

(() => {
  const button = (text) => {
    const element = document.createElement("button");
    element.type = "button";
    element.className = "quiet";
    element.textContent = text;
    return element;
  };

  // "Show" beside a password.
  for (const input of document.querySelectorAll("input[type=password]")) {
    const toggle = button("");
    const word = document.createElement("span");
    const what = document.createElement("span");
    what.className = "visually-hidden";
    what.textContent = input.labels.length ? ` ${input.labels[0].textContent.trim()}` : "";
    toggle.append(word, what);
    const update = () => { word.textContent = input.type === "text" ? "Hide" : "Show"; };
    toggle.addEventListener("click", () => {
      input.type = input.type === "password" ? "text" : "password";
      update();
    });
    update();
    input.after(toggle);
    // A browser must not keep what was shown as an ordinary text field.
    if (input.form) input.form.addEventListener("submit", () => { input.type = "password"; });
  }

  // How many characters a new password has.
  for (const input of document.querySelectorAll("input[data-min-length]")) {
    const count = document.createElement("p");
    count.className = "hint";
    const update = () => {
      const length = [...input.value].length;
      count.textContent = `${length} of at least ${input.dataset.minLength} characters`;
    };
    input.addEventListener("input", update);
    update();
    (input.nextElementSibling || input).after(count);
  }

  // "Copy" after what is meant to be copied.
  if (navigator.clipboard) {
    for (const text of document.querySelectorAll("pre.command")) {
      const copy = button("Copy");
      copy.addEventListener("click", async () => {
        await navigator.clipboard.writeText(text.textContent);
        copy.textContent = "Copied";
        setTimeout(() => { copy.textContent = "Copy"; }, 2000);
      });
      const line = document.createElement("p");
      line.className = "actions";
      line.append(copy);
      text.after(line);
    }
  }

  for (const print of document.querySelectorAll("[data-print]")) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }

  // The box that selects all students of a page; htmx replaces the list.
  document.addEventListener("change", (event) => {
    const { name, checked, form } = event.target;
    if (!form || !form.elements.listed) return;
    if (name === "all") {
      for (const box of form.querySelectorAll("input[name=student]")) box.checked = checked;
    } else if (name === "student" && !checked) {
      form.elements.all.checked = false;
    }
  });
})();
