// Keeps a WebSocket to the plugin, however often it breaks.

const SESSION_ENDED = 4401; // as in web.py
const FIRST_PAUSE = 500; // milliseconds before the first new try; doubled with each one that fails
const LONGEST_PAUSE = 30_000;
const LONGEST_SILENCE = 75_000; // the plugin sends something every 30 seconds

// Calls receive(update) for each message and setState("live" | "waiting" | "ended") when that changes.
export function connect(address, receive, setState) {
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    address.search = address.hash = "";
    let pause = FIRST_PAUSE;
    let waiting = 0; // timer of the next try; 0: there is none
    let silence = 0; // timer of a connection that says nothing
    let socket = null;

    function open() {
        clearTimeout(waiting);
        waiting = 0;
        const own = (socket = new WebSocket(address));
        own.addEventListener("message", (message) => {
            watch(own);
            pause = FIRST_PAUSE;
            receive(JSON.parse(message.data));
            setState("live");
        });
        own.addEventListener("close", ({code}) => {
            if (own !== socket) return; // given up before
            lost(code);
        });
        watch(own);
    }

    function watch(own) {
        clearTimeout(silence);
        silence = setTimeout(() => {
            own.close();
            lost(0); // the network has gone: its own end might take minutes
        }, LONGEST_SILENCE);
    }

    function lost(code) {
        socket = null;
        clearTimeout(silence);
        if (code === SESSION_ENDED) {
            setState("ended");
            return;
        }
        setState("waiting");
        // Not all pages at the same moment, when a server comes back.
        waiting = setTimeout(open, pause * (0.5 + Math.random() / 2));
        pause = Math.min(2 * pause, LONGEST_PAUSE);
    }

    // Whoever comes back from sleep or another network need not wait.
    addEventListener("online", () => {
        if (waiting) open();
    });
    open();
}
