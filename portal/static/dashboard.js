/* Says when the overview could not be brought up to date, and takes it back as soon as it was. */
(() => {
  "use strict";

  const note = (stale) => {
    document.querySelector("[data-stale]")?.toggleAttribute("hidden", !stale);
  };
  for (const trouble of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(trouble, () => note(true));
  }
  document.addEventListener("htmx:afterSwap", () => note(false));
})();
