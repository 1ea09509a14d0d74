// The rows that a browser keeps: `read`, sealed under the session's key, and `waiting`, sealed to the
// platform. What is not sealed of them tells nothing: an id, a label, a kind, a moment.
const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
let database;

function open() {
  database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("pkh-field", 1);
    request.onupgradeneeded = () => {
      for (const name of ["read", "waiting"])
        request.result.createObjectStore(name, { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return database;
}

async function within(name, mode, ask) {
  // A row that waits must be on the disk before a person is told that it is.
  const transaction = (await open()).transaction(name, mode, { durability: "strict" });
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
  const found = await settled(ask(transaction.objectStore(name)));
  await ended;
  return found;
}

export const all = (name) => within(name, "readonly", (store) => store.getAll());
export const put = (name, row) => within(name, "readwrite", (store) => store.put(row));
export const remove = (name, id) => within(name, "readwrite", (store) => store.delete(id));
export const clear = (name) => within(name, "readwrite", (store) => store.clear());
