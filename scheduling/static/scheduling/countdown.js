// Counts down what is marked `data-countdown`, the seconds that were left when the page was made, in
// the words of the `relative` filter. Only these words change; each minute for who wants little motion.
(() => {
    "use strict";

    const made = Date.now();
    const everyMs = matchMedia("(prefers-reduced-motion: reduce)").matches ? 60_000 : 1_000;

    function duration(seconds) {
        const days = Math.floor(seconds / 86_400);
        const hours = Math.floor(seconds / 3_600);
        const minutes = Math.floor((seconds % 3_600) / 60);
        if (days) {
            return `${days} day${days > 1 ? "s" : ""}`;
        }
        if (hours) {
            return `${hours} h${minutes && hours < 10 ? ` ${minutes} min` : ""}`;
        }
        return minutes ? `${minutes} min` : `${seconds} s`;
    }

    function relative(seconds) {
        if (seconds === 0) {
            return "now";
        }
        return seconds > 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`;
    }

    function tick() {
        const passed = (Date.now() - made) / 1_000;
        for (const one of document.querySelectorAll("[data-countdown]")) {
            const words = relative(Math.round(one.dataset.countdown - passed));
            if (one.textContent !== words) {
                one.textContent = words;
            }
        }
    }

    setInterval(() => document.hidden || tick(), everyMs);
    document.addEventListener("visibilitychange", tick);
})();
