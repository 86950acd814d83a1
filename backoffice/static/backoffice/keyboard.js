// What the theme leaves to the mouse. In a form's lines: a new line takes the focus, and a line is taken
// out with Enter or the space bar. In a list: the filters open in the same way, and take the focus. A
// dialog takes it when it opens, and its first mistake when it is refused.

const REMOVE = ".delete-template, label:has(> .hidden > .delete)";
const FILTERS = ".filter-open-button";
const FIELD = "input:not([type=hidden]), select, textarea";

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

// Gives the focus to a part that the theme is about to show: after it noted where the focus is to return
// to, and as soon as the part is there. Who is in it already keeps the place: what is typed next would go
// elsewhere.
function focusIn(id, what, tries = 20) {
    const part = document.getElementById(id);
    const isIn = () => !part || part.contains(document.activeElement);
    if (!isIn()) {
        (part.querySelector(what) || part).focus();
    }
    if (!isIn() && tries) {
        setTimeout(focusIn, 50, id, what, tries - 1);
    }
}

window.addEventListener("load", () => reachable(document));

document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "modal-content") {
        setTimeout(focusIn, 50, "dialog", FIELD);
    }
    if (event.target.id === "dialog-form") {
        event.target.querySelector("[aria-invalid]")?.focus();
    }
});

document.addEventListener("click", (event) => {
    const group = event.target.closest(".add-row")?.closest("[data-inline-type]");
    if (group) {
        // After the theme has put the line in.
        setTimeout(() => { reachable(group); focusNewest(group); });
    }
    if (event.target.closest(FILTERS)) {
        setTimeout(focusIn, 50, "changelist-filter", FIELD);
    }
});

document.addEventListener("keydown", (event) => {
    if (["Enter", " "].includes(event.key) && event.target.matches(`${REMOVE}, ${FILTERS}`)) {
        event.preventDefault();
        event.target.click();
    }
});
