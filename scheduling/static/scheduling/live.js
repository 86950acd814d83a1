// Keeps a page of runs up to date without losing scroll, ticks, focus or what is unfolded.
//
// A page has one `[data-live]` button, which pauses it; a list of runs is merged row by row, and so are
// the parts marked `data-live-part`.
(() => {
    "use strict";

    const EVERY_MS = 4000;
    const PAUSED = "scheduling-live-paused";

    const keyOf = (row) => row.querySelector("[data-run]")?.dataset.run;
    const isTicked = (row) => Boolean(row.querySelector(".run-tick:checked"));

    // What a button does, but for the token that lets a dialog which is sent twice act once: each has
    // its own from when it was shown first.
    const deedOf = (node) => node.getAttribute("hx-get")?.replace(/token=[^&]*/, "");

    function isSame(old, fresh) {
        return (
            old.nodeName === fresh.nodeName &&
            old.id === fresh.id &&
            (old.nodeName !== "BUTTON" || deedOf(old) === deedOf(fresh))
        );
    }

    function mergeAttributes(old, fresh) {
        const isKept = (name) => name === "open" || name.startsWith("hx-");
        for (const { name, value } of fresh.attributes) {
            if (!isKept(name) && old.getAttribute(name) !== value) {
                old.setAttribute(name, value);
            }
        }
        for (const { name } of Array.from(old.attributes)) {
            if (!isKept(name) && !fresh.hasAttribute(name)) {
                old.removeAttribute(name);
            }
        }
    }

    function add(fresh, place) {
        const added = document.importNode(fresh, true);
        place(added);
        if (added.nodeType === Node.ELEMENT_NODE) {
            htmx.process(added);
        }
    }

    // Changes what differs and leaves the rest where it is: whoever reads, selects or types there
    // notices nothing.
    function merge(old, fresh) {
        if (old.isEqualNode(fresh)) {
            return;
        }
        if (old.nodeType !== Node.ELEMENT_NODE) {
            old.nodeValue = fresh.nodeValue;
            return;
        }
        mergeAttributes(old, fresh);
        Array.from(fresh.childNodes).forEach((child, place) => {
            const known = old.childNodes[place];
            if (known && isSame(known, child)) {
                merge(known, child);
            } else {
                add(child, (added) => (known ? known.replaceWith(added) : old.append(added)));
            }
        });
        while (old.childNodes.length > fresh.childNodes.length) {
            old.lastChild.remove();
        }
    }

    function mergeRows(table, freshRows) {
        const old = new Map(Array.from(table.tBodies, (row) => [keyOf(row), row]));
        let place = table.tBodies[0] || null;
        for (const fresh of freshRows) {
            const known = old.get(keyOf(fresh));
            old.delete(keyOf(fresh));
            if (!known) {
                add(fresh, (added) => table.insertBefore(added, place));
                continue;
            }
            merge(known, fresh);
            if (known === place) {
                place = place.nextElementSibling;
            } else {
                table.insertBefore(known, place);
            }
        }
        // What was ticked stays until it is unticked: somebody means to do something with it.
        old.forEach((row) => isTicked(row) || row.remove());
    }

    function mergeList(fresh) {
        const form = document.getElementById("changelist-form");
        const freshForm = fresh.getElementById("changelist-form");
        if (!form || !freshForm) {
            return;
        }
        const table = form.querySelector("#result_list");
        if (table) {
            mergeRows(table, Array.from(freshForm.querySelectorAll("#result_list > tbody")));
        }
        if (!table?.tBodies.length) {
            merge(form, freshForm);
        }
    }

    function mergeParts(fresh) {
        for (const part of document.querySelectorAll("[data-live-part]")) {
            const freshPart = fresh.getElementById(part.id);
            if (freshPart) {
                merge(part, freshPart);
            }
        }
    }

    function start(button) {
        const status = document.getElementById("live-status");
        let paused = localStorage.getItem(PAUSED) === "1";

        const show = (words) => {
            button.textContent = paused ? "Resume" : "Pause";
            status.textContent = paused ? "Paused" : words;
            status.classList.toggle("live", !paused && words === "Live");
        };

        const refresh = async () => {
            const dialog = document.getElementById("modal-content");
            if (paused || document.hidden || dialog?.offsetParent) {
                return;
            }
            try {
                const response = await fetch(window.location.href, { redirect: "error" });
                if (!response.ok) {
                    throw new Error(response.statusText);
                }
                const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
                mergeList(fresh);
                mergeParts(fresh);
                show("Live");
            } catch {
                show("Not live: no answer");
            }
        };

        button.addEventListener("click", () => {
            paused = !paused;
            localStorage.setItem(PAUSED, paused ? "1" : "0");
            show("Live");
            refresh();
        });
        show("Live");
        setInterval(refresh, Number(button.dataset.live) || EVERY_MS);
    }

    document.addEventListener("DOMContentLoaded", () => {
        const button = document.querySelector("[data-live]");
        if (button) {
            start(button);
        }
        document.addEventListener("change", (event) => {
            if (event.target.id === "tick-all") {
                document.querySelectorAll(".run-tick").forEach((box) => {
                    box.checked = event.target.checked;
                });
            }
        });
    });
})();
