/* The connections page: a text to send is copied with one press. Without scripts it is selected by hand. */
(() => {
  "use strict";

  const copied = async (field) => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      return true;
    } catch {
      return document.execCommand("copy"); // where the page is not served over https
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) {
      return;
    }
    const words = button.dataset.words ?? button.textContent;
    button.dataset.words = words;
    const done = await copied(button.parentElement.querySelector("textarea"));
    button.textContent = done ? document.body.dataset.copied : document.body.dataset.copyByHand;
    window.setTimeout(() => {
      button.textContent = words;
    }, 2500);
  });
})();
