// The browser prints; without scripts its own menu does, and the button is not there.
for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => window.print());
}
