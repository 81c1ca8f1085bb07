// Shows what the plugin sends over its WebSocket (views.py says what that is). Whatever people wrote becomes
// text nodes, never markup.

import {connect} from "./connection.js";
import {bars, element, since} from "./elements.js";

const KINDS = ["post", "edit", "delete", "reaction", "join", "leave"];
// The columns, with the kinds of events that they count.
const COLUMNS = [["Posts", "post"], ["Edits", "edit"], ["Deleted", "delete"], ["Reactions", "reaction"], ["Joined", "join"]];
const WINDOW = 60;
const SHOWN_EVENTS = 40;
const MINUTE = 60_000;

const byId = (id) => document.getElementById(id);
const channels = new Map(); // by id: what was sent of the channel, and its row in the table
let clockOffset = 0; // milliseconds by which the server's clock is ahead
let selected = ""; // id of the channel whose events are shown; empty: of all
let newestShown = new Set(); // keys of events, to tell which ones are new

const now = () => Date.now() + clockOffset;

function receive(update) {
    clockOffset = update.now - Date.now();
    if (update.whole) {
        for (const channel of channels.values()) channel.row.remove();
        channels.clear();
    }
    for (const id of update.gone) {
        channels.get(id)?.row.remove();
        channels.delete(id);
    }
    for (const sent of update.channels) {
        const known = channels.get(sent.id);
        channels.set(sent.id, {...sent, row: known ? known.row : makeRow(sent.id)});
        if (known && !update.whole) flash(known.row);
    }
    if (!channels.has(selected)) selected = "";
    show(!update.whole);
}

function show(flashNew = false) {
    const total = {minutes: Array(WINDOW).fill(0), columns: COLUMNS.map(() => 0)};
    const rows = [...channels.values()].map((channel) => count(channel, total));
    rows.sort((a, b) => b.last - a.last || a.channel.name.localeCompare(b.channel.name));
    rows.forEach(({channel, minutes, columns, last}, place) => {
        fillRow(channel, minutes, columns, last);
        const body = byId("channels");
        if (body.children[place] !== channel.row) body.insertBefore(channel.row, body.children[place] ?? null);
    });
    byId("no-channels").hidden = rows.length > 0;
    bars(byId("chart"), total.minutes);
    byId("totals").replaceChildren(...COLUMNS.map(([title], i) =>
        element("div", {}, element("dt", {}, title), element("dd", {}, String(total.columns[i])))));
    showNewest(flashNew);
}

// Returns what a channel's row shows of the last hour, and adds it to the total.
function count(channel, total) {
    const minutes = Array(WINDOW).fill(0);
    const columns = COLUMNS.map(() => 0);
    const oldest = Math.floor(now() / MINUTE) - WINDOW + 1;
    for (const [minute, counts] of channel.activity.minutes) {
        const place = Math.min(minute - oldest, WINDOW - 1);
        if (place < 0) continue;
        const all = counts.reduce((sum, number) => sum + number, 0);
        minutes[place] += all;
        total.minutes[place] += all;
        COLUMNS.forEach(([, kind], i) => {
            columns[i] += counts[KINDS.indexOf(kind)];
            total.columns[i] += counts[KINDS.indexOf(kind)];
        });
    }
    const last = Math.max(0, ...channel.activity.events.map((event) => event.at)) || channel.last_post_at;
    return {channel, minutes, columns, last};
}

function makeRow(id) {
    const name = element("button", {type: "button"});
    const row = element("tr", {"data-channel": id},
        element("td", {class: "name"}, name, element("small")),
        element("td", {class: "graph"}, bars(null, [])),
        ...COLUMNS.map(() => element("td", {class: "number"})),
        element("td", {class: "time"}));
    row.addEventListener("click", () => select(selected === id ? "" : id));
    return row;
}

function fillRow(channel, minutes, columns, last) {
    const [name, graph, ...cells] = channel.row.children;
    name.children[0].textContent = channel.name;
    name.children[1].textContent = channel.team + (channel.private && channel.team ? " · private" : "") || "direct";
    bars(graph.children[0], minutes);
    columns.forEach((number, i) => {
        cells[i].textContent = String(number);
        cells[i].toggleAttribute("data-zero", number === 0);
    });
    cells[columns.length].textContent = last ? since(last, now()) : "";
    channel.row.setAttribute("aria-selected", String(channel.id === selected));
}

function showNewest(flashNew) {
    const shown = selected ? [channels.get(selected)] : [...channels.values()];
    const newest = shown
        .flatMap((channel) => channel.activity.events.map((event) => ({channel, event})))
        .filter(({event}) => event.at > now() - WINDOW * MINUTE)
        .sort((a, b) => b.event.at - a.event.at)
        .slice(0, SHOWN_EVENTS);
    const keys = new Set();
    byId("newest").replaceChildren(...newest.map(({channel, event}) => {
        const key = [channel.id, event.kind, event.at, event.user_id, event.post_id].join();
        const item = makeItem(channel, event);
        if (flashNew && !newestShown.has(key)) flash(item);
        keys.add(key);
        return item;
    }));
    newestShown = keys;
    byId("no-events").hidden = newest.length > 0;
    byId("newest-where").textContent = selected ? `in ${channels.get(selected).name}` : "in all channels";
    byId("all").hidden = !selected;
}

function makeItem(channel, event) {
    const user = element("b", {}, event.user);
    const did = (text) => element("span", {class: "did"}, text);
    const what = {
        post: [user, event.text ? ` ${event.text}` : did(" posted")],
        edit: [user, did(" edited "), event.text],
        delete: [did("A post by "), user, did(" was deleted")],
        reaction: [user, did(" reacted "), event.text],
        join: [user, did(" joined")],
        leave: [user, did(" left")],
    }[event.kind];
    const place = event.post_id && event.kind !== "delete" ? `../../_redirect/pl/${event.post_id}` : channel.link;
    return element("li", {"data-kind": event.kind},
        element("img", {src: `../../api/v4/users/${event.user_id}/image`, alt: "", loading: "lazy"}),
        element("p", {}, ...what),
        element("p", {class: "about"},
            place ? element("a", {href: place}, channel.name) : channel.name,
            element("time", {}, since(event.at, now()))));
}

function select(id) {
    selected = id;
    show();
}

// The animation begins anew, also where one is running.
function flash(node) {
    node.classList.remove("flash");
    void node.offsetWidth;
    node.classList.add("flash");
}

function setState(state) {
    const texts = {live: "Live", waiting: "Connecting", ended: "Logged out"};
    byId("status").dataset.state = state;
    byId("status").textContent = texts[state];
    byId("notice").hidden = state !== "ended";
}

byId("all").addEventListener("click", () => select(""));
setInterval(show, 10_000); // times go on, also while nothing happens
connect(new URL("live", document.baseURI), receive, setState);
