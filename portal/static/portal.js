/* The little that a page needs beyond htmx. Everything works without it, only less comfortably. */
(() => {
  "use strict";

  // Times: the server writes relative words; the title says the exact time in the reader's own zone.
  const localTimes = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const when = new Date(time.dateTime);
      if (!Number.isNaN(when.valueOf())) {
        time.title = when.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "long" });
      }
    }
  };

  // Ping: the answer is one JSON object a line, each with HTML that the server has escaped.
  const readLines = async (response, take) => {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = lines.pop();
      lines.filter(Boolean).forEach((line) => take(JSON.parse(line)));
      if (done) {
        return;
      }
    }
  };

  const showPingPart = (part) => {
    const place = document.getElementById(part.place);
    if (!place) {
      return;
    }
    if (part.replace) {
      place.innerHTML = part.html;
    } else {
      place.insertAdjacentHTML("beforeend", part.html);
    }
  };

  const ping = async (form) => {
    const button = form.querySelector("button");
    button.disabled = true;
    form.dataset.busy = "";
    try {
      const response = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/x-ndjson" },
      });
      if (!response.ok || response.redirected) {
        throw new Error(`answer ${response.status}`);
      }
      await readLines(response, showPingPart);
    } catch {
      document.getElementById("ping-summary").textContent =
        document.body.dataset.pingBroke;
    } finally {
      button.disabled = false;
      delete form.dataset.busy;
    }
  };

  // The theme changes where one is; the server only remembers it. What is half typed on the page stays.
  const chooseTheme = (form, chosen) => {
    const body = new FormData(form, chosen);
    document.documentElement.dataset.bsTheme = chosen.value;
    document.querySelector("meta[name=color-scheme]").content = chosen.value === "auto" ? "light dark" : chosen.value;
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button === chosen));
    }
    fetch(form.action, { method: "POST", body, redirect: "manual" });
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-theme-choice]")) {
      event.preventDefault();
      chooseTheme(form, event.submitter);
    } else if (form.matches("[data-ping]")) {
      event.preventDefault();
      ping(form);
    } else if (form.matches("[data-confirm]") && !window.confirm(form.dataset.confirm)) {
      event.preventDefault();
    }
  });

  document.addEventListener("change", (event) => {
    const changed = event.target;
    if (changed.matches("[data-submit-on-change]")) {
      changed.form.requestSubmit();
    } else if (changed.matches("[data-select-all]")) {
      for (const box of document.querySelectorAll("[data-select]")) {
        box.checked = changed.checked;
      }
    } else if (changed.matches("[data-fill]")) {
      const field = document.getElementById(changed.dataset.fill);
      if (changed.value) {
        field.value = changed.value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
    showSelected();
  });

  const showSelected = () => {
    const count = document.querySelectorAll("[data-select]:checked").length;
    for (const place of document.querySelectorAll("[data-selected-count]")) {
      place.textContent = count ? place.dataset.selectedCount.replace("#", count) : place.dataset.selectedNone;
    }
    for (const button of document.querySelectorAll("[data-needs-selection]")) {
      button.disabled = count === 0;
    }
  };

  // Rows of a formset: copies of its empty form, counted in the management form.
  document.addEventListener("click", (event) => {
    const adder = event.target.closest("[data-add-row]");
    if (!adder) {
      return;
    }
    const total = document.getElementById(`id_${adder.dataset.addRow}-TOTAL_FORMS`);
    const template = document.getElementById(`${adder.dataset.addRow}-empty`);
    const html = template.innerHTML.replaceAll("__prefix__", total.value);
    const rows = document.getElementById(`${adder.dataset.addRow}-rows`);
    rows.insertAdjacentHTML("beforeend", html);
    total.value = Number(total.value) + 1;
    rows.lastElementChild.querySelector("input, textarea")?.focus();
  });

  document.addEventListener("DOMContentLoaded", () => {
    localTimes(document);
    showSelected();
    const nav = document.querySelector(".sidenav");
    const here = nav?.querySelector("[aria-current]");
    if (here && nav.scrollWidth > nav.clientWidth) {
      nav.scrollLeft = here.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
    }
  });
  // A part that renews itself waits while somebody is in it with the keyboard or an open menu, or has opened something
  // in it, and while nobody looks.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.target;
    const inUse = () => part.contains(document.activeElement) || part.querySelector("details[open]");
    if (part.matches("[data-live]") && (document.hidden || inUse())) {
      event.preventDefault();
    }
  });
  document.addEventListener("htmx:load", (event) => localTimes(event.target));
})();
