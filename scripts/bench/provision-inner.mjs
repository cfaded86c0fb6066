/** One measurement of provision.ts, of the built code, alone in its process: prints milliseconds. */
import { connect } from 'node:net';
import { apply } from '../../dist/app/apply.js';
import { toSettings } from '../../dist/app/settings.js';
import { loadTopology } from '../../dist/app/topology.js';
import { connectSwitch } from '../../dist/app/switchclient.js';
import { diffSwitch } from '../../dist/switch/diff.js';
import { observeSwitch } from '../../dist/switch/observe.js';
import { compileChanges } from '../../dist/switch/transaction.js';

const [, , mode, remote, file] = process.argv;
if (remote === undefined || file === undefined)
  throw new Error('usage: provision-inner.mjs apply|raw REMOTE FILE');
const settings = toSettings({ remote }, {});
console.log(String(mode === 'apply' ? await measureApply(file) : await measureRaw(remote, file)));

async function measureApply(path) {
  const start = performance.now();
  const report = await apply(path, {
    settings,
    databaseOnly: true,
    deadlineMs: 10_000,
    confirm: () => Promise.resolve(true),
  });
  const ms = performance.now() - start;
  if (report.outcome !== 'applied') throw new Error('nothing was applied');
  return ms;
}

/** The operations that apply would send, prepared before the clock starts. */
async function measureRaw(to, path) {
  const desired = await loadTopology(path);
  const client = await connectSwitch(settings);
  const observed = observeSwitch(client.snapshot());
  const transaction = compileChanges(diffSwitch(desired, observed).changes, observed);
  await client.close();
  const request = { id: 1, method: 'transact', params: ['Open_vSwitch', ...transaction.operations] };

  const start = performance.now();
  const socket = connect(to.replace(/^unix:/, ''));
  socket.write(JSON.stringify(request));
  const chunks = [];
  let bytes = 0;
  for await (const chunk of socket) {
    chunks.push(chunk);
    bytes += chunk.length;
    // The reply is the only message, and ends as it: `…,"error":null}`.
    if (chunk.at(-1) === 0x7d && Buffer.concat(chunks, bytes).subarray(-14).includes('"error":null')) break;
    if (chunk.at(-1) === 0x7d && chunks.length === 1 && Buffer.concat(chunks).includes('"error"')) break;
  }
  const reply = JSON.parse(Buffer.concat(chunks, bytes).toString());
  const ms = performance.now() - start;
  if (reply.result?.length !== transaction.operations.length) throw new Error('the transaction failed');
  return ms;
}
