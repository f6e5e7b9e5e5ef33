import { EventSource } from "/node_modules/vrelo/dist/index.js";

const source = new EventSource("https://hub.example/.well-known/mercure?match=news");
source.onmessage = ({ data }) => postMessage(data);
