// Makes the parts of the page.

const SVG = "http://www.w3.org/2000/svg";

// Returns an element with attributes and children; strings become text.
export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
}

// Draws numbers as bars into an <svg>, or into a new one; returns it.
export function bars(svg, numbers) {
    const drawing = svg ?? document.createElementNS(SVG, "svg");
    if (!svg) {
        drawing.setAttribute("viewBox", "0 0 60 24");
        drawing.setAttribute("preserveAspectRatio", "none");
        drawing.setAttribute("aria-hidden", "true");
    }
    const path = drawing.firstElementChild ?? drawing.appendChild(document.createElementNS(SVG, "path"));
    const highest = Math.max(4, ...numbers);
    const line = numbers.map((number, at) => {
        const height = (22 * number) / highest;
        return number ? `M${at + 0.15} 24v${-height}h0.7v${height}z` : "";
    });
    path.setAttribute("d", line.join(""));
    return drawing;
}

// Returns a time in words; both are in milliseconds.
export function since(then, now) {
    const minutes = Math.floor((now - then) / 60_000);
    if (minutes < 1) return "now";
    if (minutes < 60) return `${minutes} min`;
    const date = new Date(then);
    return minutes < 24 * 60
        ? date.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"})
        : date.toLocaleDateString([], {day: "numeric", month: "short"});
}
