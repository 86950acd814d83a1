// Keeps a page of runs up to date without losing scroll, ticks, focus or what is unfolded.
//
// A page has one `[data-live]` button, which pauses it, and either a list of runs (merged row by row)
// or parts marked `data-live-part` (replaced when they differ).
(() => {
    "use strict";

    const EVERY_MS = 4000;
    const PAUSED = "scheduling-live-paused";

    const keyOf = (row) => row.querySelector("[data-run]")?.dataset.run;
    const isTicked = (row) => Boolean(row.querySelector(".run-tick:checked"));

    function replaceContent(old, fresh) {
        if (old.innerHTML === fresh.innerHTML || old.contains(document.activeElement)) {
            return;
        }
        old.innerHTML = fresh.innerHTML;
        htmx.process(old);
    }

    function mergeRow(old, fresh) {
        const cells = old.querySelectorAll("td, th");
        fresh.querySelectorAll("td, th").forEach((cell, place) => {
            if (cells[place] && !cells[place].classList.contains("field-tick")) {
                replaceContent(cells[place], cell);
            }
        });
    }

    function mergeRows(table, freshTable) {
        const old = new Map(Array.from(table.tBodies, (row) => [keyOf(row), row]));
        let place = table.tBodies[0] || null;
        for (const fresh of Array.from(freshTable.tBodies)) {
            const known = old.get(keyOf(fresh));
            old.delete(keyOf(fresh));
            if (known) {
                mergeRow(known, fresh);
            }
            const row = known || document.importNode(fresh, true);
            if (row === place) {
                place = place.nextElementSibling;
            } else {
                table.insertBefore(row, place);
                htmx.process(row);
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
        const freshTable = freshForm.querySelector("#result_list");
        if (table && freshTable) {
            mergeRows(table, freshTable);
        } else if (table || freshTable) {
            replaceContent(form, freshForm);
        }
    }

    function mergeParts(fresh) {
        for (const part of document.querySelectorAll("[data-live-part]")) {
            const freshPart = fresh.getElementById(part.id);
            if (!freshPart) {
                continue;
            }
            const unfolded = Array.from(part.querySelectorAll("details"), (one) => one.open);
            replaceContent(part, freshPart);
            part.querySelectorAll("details").forEach((one, place) => {
                one.open = unfolded[place] ?? one.open;
            });
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
