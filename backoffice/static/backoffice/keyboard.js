// What the theme leaves to the mouse in a form's lines: a new line takes the focus, and a line is
// taken out with Enter or the space bar.

const REMOVE = ".delete-template, label:has(> .hidden > .delete)";

function reachable(root) {
    for (const remove of root.querySelectorAll(REMOVE)) {
        remove.tabIndex = 0;
        remove.setAttribute("role", "button");
        remove.setAttribute("aria-label", "Take this line out");
    }
}

function focusNewest(group) {
    const lines = group.querySelectorAll(".form-group:not(.empty-form)");
    const first = ".select2-selection, select:not(.select2-hidden-accessible), input:not([type=hidden])";
    lines[lines.length - 1]?.querySelector(first)?.focus();
}

window.addEventListener("load", () => reachable(document));

document.addEventListener("click", (event) => {
    const group = event.target.closest(".add-row")?.closest("[data-inline-type]");
    if (group) {
        // After the theme has put the line in.
        setTimeout(() => { reachable(group); focusNewest(group); });
    }
});

document.addEventListener("keydown", (event) => {
    if (["Enter", " "].includes(event.key) && event.target.matches(REMOVE)) {
        event.preventDefault();
        event.target.click();
    }
});
