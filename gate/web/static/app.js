// What JavaScript adds: keys, selection, copy buttons. Every page works without it.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Rows: one is the current one.
  const rows = () => $$("table.list tbody tr").filter((row) => $("a[href]", row));
  const current = () => $("tr.current");
  function move(step) {
    const all = rows();
    if (!all.length) return;
    const now = all.indexOf(current());
    const next = all[now < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, now + step))];
    current()?.classList.remove("current");
    next.classList.add("current");
    next.scrollIntoView({ block: "nearest" });
    if ($("#peek")) peek();
  }
  // A look at the current row beside the list, where there is room for it.
  const roomy = () => matchMedia("(min-width: 75rem)").matches && $("#list");
  function peek() {
    const link = $('td.what a[href^="/findings/"]', current() ?? document.createElement("tr"));
    if (!link || !roomy()) return;
    let panel = $("#peek");
    if (!panel) {
      panel = document.createElement("section");
      panel.id = "peek";
      panel.tabIndex = -1;
      panel.setAttribute("aria-label", "The finding");
      $("#main").append(panel);
    }
    htmx.ajax("GET", link.getAttribute("href"), { target: panel, swap: "innerHTML", select: "#main > *" }).then(() => {
      panel.scrollTop = 0;
      for (const form of $$("form", panel)) { // acting on it leads back to the list
        const back = document.createElement("input");
        Object.assign(back, { type: "hidden", name: "back", value: location.pathname + location.search });
        form.append(back);
      }
    });
  }
  document.addEventListener("click", (event) => {
    const row = event.target.closest("#list tbody tr");
    if (!row || event.target.closest("a, input, button, label") || getSelection().toString()) return;
    current()?.classList.remove("current");
    row.classList.add("current");
    peek();
  });

  const open = () => $("td.what a[href], a[href]", current() ?? document.createElement("tr"))?.click();

  // Selection.
  const boxes = () => $$('input[name="id"][form="bulk"]');
  function selected() {
    const all = boxes(), on = all.filter((box) => box.checked);
    for (const box of all) box.closest("tr").setAttribute("aria-selected", box.checked);
    const head = $("[data-all]");
    if (head) {
      head.checked = on.length > 0 && on.length === all.length;
      head.indeterminate = on.length > 0 && on.length < all.length;
    }
    const text = $("[data-selected]");
    if (text) text.textContent = on.length ? on.length + " selected:" : "Select findings to";
  }
  function toggle() {
    const box = $('input[name="id"]', current() ?? document.createElement("tr"));
    if (!box) return;
    box.checked = !box.checked;
    selected();
  }
  let last = null;
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.matches("[data-all], input[name=id]")) selected();
  });
  document.addEventListener("click", (event) => {
    const box = event.target.closest('input[name="id"][form="bulk"]');
    if (!box) return;
    if (event.shiftKey && last) {
      const all = boxes(), [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      for (const other of all.slice(from, to + 1)) other.checked = box.checked;
      selected();
    }
    last = box;
  });

  // Acting on the current row when nothing is selected.
  function act(key) {
    const button = $('#main [data-key="' + key + '"]');
    if (!button) return false;
    const why = button.matches("[data-why]") && $("textarea", button.form);
    if (!button.matches("button") || (why && !why.value.trim())) {
      (why || button).focus();
      return true;
    }
    if (button.form?.id === "bulk" && !boxes().some((box) => box.checked)) toggle();
    button.click();
    return true;
  }

  // Keys.
  const places = { o: "/", p: "/products", f: "/findings", v: "/verdicts" };
  let going = 0;
  function help() {
    let dialog = $("dialog#keys");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "keys";
      document.body.append(dialog);
    }
    htmx.ajax("GET", "/keys", { target: dialog, swap: "innerHTML", select: ".keys dl" }).then(() => dialog.open || dialog.showModal());
  }
  const keys = {
    j: () => move(1), k: () => move(-1), x: toggle, Enter: open, " ": peek, "?": help,
    "/": () => { const field = $('[data-key="/"]'); field?.focus(); field?.select(); },
    Escape: () => { $("#peek")?.remove(); for (const menu of $$("details.menu[open]")) menu.open = false; document.activeElement?.blur(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const field = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (field && event.key !== "Escape") return;
    if ((event.key === "Enter" || event.key === " ") && event.target.closest("a, button, summary, input")) return;
    if ($("dialog[open]")) return;
    if (Date.now() - going < 2000 && places[event.key]) {
      going = 0;
      event.preventDefault();
      $('#nav a[href="' + places[event.key] + '"]')?.click();
      return;
    }
    if (event.key === "g") { going = Date.now(); return; }
    if (event.key === " " && !(current() && roomy())) return; // it scrolls
    if (keys[event.key]) {
      if (event.key !== "Escape") event.preventDefault();
      keys[event.key]();
    } else if (/^[a-z]$/.test(event.key) && act(event.key)) {
      event.preventDefault();
    }
  });
  document.addEventListener("click", (event) => {
    for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // A copy button for each command.
  function copies(root) {
    for (const box of $$(".command", root)) {
      if ($("button", box) || !navigator.clipboard) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText($("code", box).textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
      box.append(button);
    }
  }

  function ready() { copies(document); selected(); }
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.boosted) document.body.classList.add("busy"); });
  document.addEventListener("htmx:afterRequest", () => document.body.classList.remove("busy"));
  document.addEventListener("htmx:afterSettle", (event) => {
    ready();
    if (event.detail.boosted && document.activeElement === document.body) $("#main")?.focus({ preventScroll: true });
  });
  document.addEventListener("htmx:historyRestore", ready);
  ready();
})();
