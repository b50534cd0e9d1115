// Keys for those who work with the keyboard, and news. Every page works without this file.
"use strict";

const isTyping = (target) => target.matches("input, select, textarea");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const search = document.querySelector('[data-key="/"]');
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    return;
  }
  // In the queue of vendors, 1 to 3 confirm a suggestion of the first question.
  const choice = document.querySelector(`.asking [data-choice="${CSS.escape(event.key)}"]`);
  if (choice && choice.closest(".asking") === document.querySelector(".asking")) choice.click();
});

// An invitation is a path here; whoever passes it on needs the whole address.
for (const link of document.querySelectorAll("[data-link]")) {
  link.textContent = new URL(link.dataset.link, location.href).href;
}

// What changes is fetched every few seconds, unless somebody is working in it.
const isBusy = (main) =>
  document.hidden ||
  main.contains(document.activeElement) ||
  main.querySelector("input[type=checkbox]:checked, details[open]") !== null ||
  !document.getSelection().isCollapsed;

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isBusy(event.target)) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  // Whoever is not signed in any more is sent elsewhere.
  const came = new URL(event.detail.xhr.responseURL).pathname;
  if (came !== location.pathname) location.reload();
  if (came !== location.pathname || isBusy(event.target)) event.preventDefault();
});
