/* The mapping bench beyond htmx: values to click, rows to add, lookup tables as a grid. All of it works without. */
(() => {
  "use strict";

  const MOST_ROWS = 400;
  let rule = null;

  const changed = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));

  // The rule that somebody is in is the one that a clicked value goes to.
  document.addEventListener("focusin", (event) => {
    rule = event.target.closest("[data-rule]") ?? rule;
  });

  const pick = (path) => {
    const row = rule?.isConnected ? rule : document.querySelector("#rules-rows [data-rule]:last-child");
    if (!row) {
      return;
    }
    const form = row.querySelector("select[name$='-form']");
    const expression = row.querySelector("input[name$='-source']");
    if (form.value === "expression" && expression.value) {
      const at = expression.selectionStart ?? expression.value.length;
      expression.setRangeText(path, at, expression.selectionEnd ?? at, "end");
      expression.focus();
      changed(expression);
      return;
    }
    if (form.value === "constant" || form.value === "expression") {
      form.value = "field";
    }
    const field = row.querySelector("input[name$='-path']");
    field.value = path;
    field.focus();
    changed(field);
  };

  // Rows of the formset; the template is the one that the server rendered.
  const addRule = (target) => {
    const total = document.getElementById("id_rules-TOTAL_FORMS");
    const html = document.getElementById("rules-empty").innerHTML.replaceAll("__prefix__", total.value);
    const rows = document.getElementById("rules-rows");
    rows.insertAdjacentHTML("beforeend", html);
    total.value = Number(total.value) + 1;
    const row = rows.lastElementChild;
    const name = row.querySelector("input[name$='-target']");
    name.value = target;
    rule = row;
    row.querySelector(target ? "input[name$='-path']" : "input[name$='-target']").focus();
  };

  // Lookup tables: the text is what is sent, the grid writes it.
  const cells = (line) => {
    const quoted = line.match(/^\s*"((?:[^"]|"")*)"\s*[=,;\t]\s*"?((?:[^"]|"")*?)"?\s*$/);
    if (quoted) {
      return [quoted[1].replaceAll('""', '"'), quoted[2].replaceAll('""', '"')];
    }
    const at = line.search(/[=,;\t]/);
    return at < 1 || line.includes('"') ? null : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  };

  const line = ([from, to]) =>
    /[=,;\t"]/.test(from) || from !== from.trim() || to !== to.trim() || to.startsWith('"')
      ? `"${from.replaceAll('"', '""')}","${to.replaceAll('"', '""')}"`
      : `${from} = ${to}`;

  const linesOf = (text) => text.split(/\r?\n/).filter((one) => one.trim());

  const grid = (area) => {
    const rows = linesOf(area.value).map(cells);
    if (rows.length > MOST_ROWS || rows.includes(null)) {
      return;
    }
    const wrap = document.createElement("div");
    wrap.className = "grid-wrap";
    wrap.innerHTML =
      '<table class="grid"><thead><tr><th scope="col"></th><th scope="col"></th></tr></thead><tbody></tbody></table>';
    const words = area.closest("[data-lookup]").dataset;
    const heads = wrap.querySelectorAll("th");
    heads[0].textContent = words.from;
    heads[1].textContent = words.to;
    const body = wrap.querySelector("tbody");
    const cell = (word, value) => {
      const input = document.createElement("input");
      input.value = value;
      input.maxLength = 250;
      input.autocomplete = "off";
      input.setAttribute("aria-label", `${word} ${body.rows.length + 1}`);
      return input;
    };
    const add = ([from, to]) => {
      const fields = [cell(words.from, from), cell(words.to, to)];
      const row = body.insertRow();
      fields.forEach((field) => row.insertCell().append(field));
      return fields;
    };
    const pairs = () => [...body.rows].map((row) => [...row.querySelectorAll("input")].map((field) => field.value));
    const write = () => {
      area.value = pairs().filter(([from, to]) => from.trim() || to.trim()).map(line).join("\n");
      if ([...body.rows].at(-1)?.querySelector("input")?.value) {
        add(["", ""]);
      }
    };
    const show = () => {
      body.replaceChildren();
      linesOf(area.value).map(cells).forEach(add);
      add(["", ""]);
    };
    wrap.addEventListener("input", write);
    wrap.addEventListener("paste", (event) => {
      const pasted = linesOf(event.clipboardData.getData("text"));
      const found = pasted.map(cells);
      if (!pasted.some((one) => /[\t;,=]/.test(one)) && pasted.length < 2) {
        return;
      }
      event.preventDefault();
      area.value = [...linesOf(area.value), ...pasted].join("\n");
      if (found.includes(null) || linesOf(area.value).length > MOST_ROWS) {
        wrap.remove();
        area.hidden = false;
      } else {
        show();
      }
      changed(area);
    });
    area.addEventListener("lb:changed", show);
    show();
    area.hidden = true;
    area.after(wrap);
  };

  const addValue = (table, value) => {
    const lookup = [...document.querySelectorAll("[data-lookup]")].find(
      (one) => one.querySelector("input[name$='-name']").value === table,
    );
    const area = lookup?.querySelector("textarea");
    if (!area) {
      return;
    }
    if (!linesOf(area.value).some((one) => cells(one)?.[0] === value)) {
      area.value = [...linesOf(area.value), line([value, ""])].join("\n");
      area.dispatchEvent(new Event("lb:changed"));
    }
    lookup.scrollIntoView({ block: "center" });
    const field = [...lookup.querySelectorAll(".grid tr")].find((row) => row.querySelector("input")?.value === value);
    (field?.querySelectorAll("input")[1] ?? area).focus();
  };

  document.addEventListener("click", (event) => {
    const leaf = event.target.closest("[data-path]");
    const adder = event.target.closest("[data-add-rule]");
    const value = event.target.closest("[data-add-value]");
    if (leaf) {
      pick(leaf.dataset.path);
    } else if (adder) {
      event.preventDefault();
      const choice = document.getElementById("add-target");
      addRule(choice.value);
      choice.selectedOptions[0]?.value && choice.selectedOptions[0].remove();
      choice.value = "";
    } else if (value) {
      addValue(value.dataset.table, value.dataset.addValue);
    }
  });

  // Enter in a field is no wish to send the whole page.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("#mapping input:not([type='checkbox'])")) {
      event.preventDefault();
      if (event.target.id === "bench-key") {
        document.querySelector("#bench button[value='use']").click();
      }
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-lookup] textarea").forEach(grid);
  });
})();
