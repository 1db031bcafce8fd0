/* The search box: "/" goes there from anywhere, arrows go through what it suggests, Escape closes. And copying. */
(() => {
  "use strict";

  const box = document.querySelector("[data-search-box]");
  const list = document.getElementById("suggestions");
  const isTyping = (place) => place.isContentEditable || /^(input|textarea|select)$/i.test(place.tagName);
  const close = () => list?.replaceChildren();

  const move = (event) => {
    const links = [...list.querySelectorAll("a")];
    const here = links.indexOf(document.activeElement);
    if (!links.length || (here < 0 && document.activeElement !== box)) {
      return;
    }
    event.preventDefault();
    const next = event.key === "ArrowDown" ? Math.min(here + 1, links.length - 1) : here - 1;
    (links[next] ?? box).focus();
  };

  document.addEventListener("keydown", (event) => {
    if (!box) {
      return;
    }
    if (event.key === "/" && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      box.focus();
      box.select();
    } else if (event.key === "Escape" && list.hasChildNodes() && box.form.contains(event.target)) {
      close();
      box.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      move(event);
    }
  });
  document.addEventListener("click", (event) => {
    const copier = event.target.closest("[data-copy-from]");
    if (copier) {
      const said = copier.textContent;
      navigator.clipboard?.writeText(document.getElementById(copier.dataset.copyFrom).textContent).then(() => {
        copier.textContent = document.body.dataset.copied;
        window.setTimeout(() => { copier.textContent = said; }, 2000);
      });
    } else if (box && !box.form.contains(event.target)) {
      close();
    }
  });
})();
