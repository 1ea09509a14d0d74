// Keeps the field's page and its files, which hold nobody's data, to open it without a network.
// FILES and VERSION stand above. Nothing else is kept or answered here: data comes from the network.
const SHELL = "/console/field";
const NAME = `pkh-field-${VERSION}`;

self.addEventListener("install", (event) => {
  // Without credentials the page is a stranger's: nothing of a person can stand in what is kept.
  const wanted = [SHELL, ...FILES].map(
    (address) => new Request(address, { credentials: "omit", cache: "no-cache" }));
  event.waitUntil(caches.open(NAME).then((kept) => kept.addAll(wanted)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names
      .filter((name) => name.startsWith("pkh-field-") && name !== NAME)
      .map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  const wanted = request.mode === "navigate"
    ? pathname === SHELL && SHELL : FILES.find((address) => address === pathname + search);
  if (!wanted) return;
  event.respondWith(caches.open(NAME)
    .then((kept) => kept.match(wanted))
    .then((found) => found ?? fetch(request)));
});
