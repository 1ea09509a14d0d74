// What @event-driven-io/emmett-postgresql does with the same events: `node measure.mjs DATABASE`.
import { randomUUID } from "node:crypto";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";

const SECONDS = 2;
const BATCH = 500;
const PAST = 20;

const store = getPostgreSQLEventStore(process.argv[2]);
await store.schema.migrate();

const recorded = (family) => ({
  type: "Recorded",
  data: {
    family, tahap: "2023-1", region: "61.03.01.2026", amount: 225000, note: "x".repeat(248),
    categories: ["EARLY_CHILD", "ELDERLY", "SMP", "SD"],
  },
});

const single = async () => {
  const family = randomUUID();
  await store.appendToStream(`account-${family}`, [recorded(family)], { expectedStreamVersion: 0n });
};

const batch = async () => {
  const family = randomUUID();
  await store.appendToStream(`account-${family}`, Array.from({ length: BATCH }, () => recorded(family)));
};

const known = Array.from({ length: 100 }, () => randomUUID());
const load = async () => {
  const family = known[Math.floor(Math.random() * known.length)];
  const { state, currentStreamVersion } = await store.aggregateStream(`account-${family}`, {
    evolve: (total, { data }) => total + data.amount,
    initialState: () => 0,
  });
  if (state < PAST) throw new Error("nothing was loaded");
  const expectedStreamVersion = currentStreamVersion;
  await store.appendToStream(`account-${family}`, [recorded(family)], { expectedStreamVersion });
};

const rate = async (work, callers = 1) => {
  for (let turn = 0; turn < 20; turn++) await work();
  const begin = performance.now();
  const until = begin + SECONDS * 1000;
  let count = 0;
  const caller = async () => {
    for (; performance.now() < until; count++) await work();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return (count * 1000) / (performance.now() - begin);
};

for (const family of known) {
  await store.appendToStream(`account-${family}`, Array.from({ length: PAST }, () => recorded(family)));
}
const result = {
  single: await rate(single),
  sixteen: await rate(single, 16),
  batch: (await rate(batch)) * BATCH,
  load: await rate(load),
};
await store.close();
console.log(JSON.stringify(result));
