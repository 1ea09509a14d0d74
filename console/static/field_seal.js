// Seals: of what was read, under a key that lives in memory alone; of what waits to be sent, to the
// platform's public key, after which this browser cannot open it either (RFC 7516: ECDH-ES, A256GCM).
const text = new TextEncoder();
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const chunked = (bytes) => { // a spread of many thousand bytes is more than a call takes
  let out = "";
  for (let at = 0; at < bytes.length; at += 32766) out += base64url(bytes.subarray(at, at + 32766));
  return out;
};
const joined = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => { whole.set(part, at); return at + part.length; }, 0);
  return whole;
};
const counted = (number) => new Uint8Array([number >>> 24, number >>> 16, number >>> 8, number]);
const measured = (part) => joined(counted(part.length), part);

export async function readingKey(hex) {
  const bytes = Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

export async function seal(key, id, value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const how = { name: "AES-GCM", iv, additionalData: text.encode(id) };
  return { id, iv, sealed: await crypto.subtle.encrypt(how, key, text.encode(JSON.stringify(value))) };
}

export async function opened(key, row) {
  const how = { name: "AES-GCM", iv: row.iv, additionalData: text.encode(row.id) };
  return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, key, row.sealed)));
}

export async function entry(publicKey, value) {
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const { kid, ...jwk } = publicKey;
  const theirs = await crypto.subtle.importKey("jwk", jwk, curve, false, []);
  const once = await crypto.subtle.generateKey(curve, true, ["deriveBits"]);
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", once.publicKey);
  const header = chunked(text.encode(JSON.stringify(
    { alg: "ECDH-ES", enc: "A256GCM", kid, epk: { kty, crv, x, y } })));
  const shared = new Uint8Array(
    await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, once.privateKey, 256));
  // RFC 7518, 4.6.2: one round of the Concat KDF makes the 256 bits of the content's key.
  const info = joined(
    measured(text.encode("A256GCM")), counted(0), counted(0), counted(256));
  const made = await crypto.subtle.digest("SHA-256", joined(counted(1), shared, info));
  const key = await crypto.subtle.importKey("raw", made, "AES-GCM", false, ["encrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const how = { name: "AES-GCM", iv, additionalData: text.encode(header), tagLength: 128 };
  const out = new Uint8Array(
    await crypto.subtle.encrypt(how, key, text.encode(JSON.stringify(value))));
  const tag = out.length - 16;
  return [header, "", base64url(iv), chunked(out.subarray(0, tag)), base64url(out.subarray(tag))]
    .join(".");
}
