// What the theme leaves to the mouse. In a form's lines: a new line takes the focus, and a line is taken
// out with Enter or the space bar. In a list: the filters open in the same way, and take the focus. A
// dialog takes it when it opens, and its first mistake when it is refused.

const REMOVE = ".delete-template, label:has(> .hidden > .delete)";
const FILTERS = ".filter-open-button";

function reachable(root) {
    for (const one of root.querySelectorAll(`${REMOVE}, ${FILTERS}`)) {
        one.tabIndex = 0;
        one.setAttribute("role", "button");
    }
    for (const remove of root.querySelectorAll(REMOVE)) {
        remove.setAttribute("aria-label", "Take this line out");
    }
}

function focusNewest(group) {
    const lines = group.querySelectorAll(".form-group:not(.empty-form)");
    const first = ".select2-selection, select:not(.select2-hidden-accessible), input:not([type=hidden])";
    lines[lines.length - 1]?.querySelector(first)?.focus();
}

function focusFirstFilter() {
    const filters = document.getElementById("changelist-filter");
    // Who is in them already keeps the place: what is typed next would go elsewhere.
    if (!filters?.contains(document.activeElement)) {
        filters?.querySelector("input, select")?.focus();
    }
}

function focusDialog(tries = 20) {
    const dialog = document.getElementById("dialog");
    const field = "input:not([type=hidden]), select, textarea";
    const first = dialog?.querySelector("[aria-invalid]") || dialog?.querySelector(field) || dialog;
    first?.focus();
    if (tries && document.activeElement !== first) {
        setTimeout(focusDialog, 50, tries - 1);
    }
}

window.addEventListener("load", () => reachable(document));

document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.closest("#modal-content")) {
        // After the theme has shown it, and noted where the focus is to return to.
        setTimeout(focusDialog, 50);
    }
});

document.addEventListener("click", (event) => {
    const group = event.target.closest(".add-row")?.closest("[data-inline-type]");
    if (group) {
        // After the theme has put the line in.
        setTimeout(() => { reachable(group); focusNewest(group); });
    }
    if (event.target.closest(FILTERS)) {
        // After the theme has shown them, and noted where the focus is to return to.
        setTimeout(focusFirstFilter, 50);
    }
});

document.addEventListener("keydown", (event) => {
    if (["Enter", " "].includes(event.key) && event.target.matches(`${REMOVE}, ${FILTERS}`)) {
        event.preventDefault();
        event.target.click();
    }
});
