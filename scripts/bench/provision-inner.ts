/** One measurement of provision.ts, alone in its process: prints milliseconds. */
import { connect } from 'node:net';
import { apply } from '../../src/app/apply.ts';
import { toSettings } from '../../src/app/settings.ts';
import { loadTopology } from '../../src/app/topology.ts';
import { connectSwitch } from '../../src/app/switchclient.ts';
import { diffSwitch } from '../../src/switch/diff.ts';
import { observeSwitch } from '../../src/switch/observe.ts';
import { compileChanges } from '../../src/switch/transaction.ts';

const [, , mode, remote, file] = process.argv;
if (remote === undefined || file === undefined)
  throw new Error('usage: provision-inner.ts apply|raw REMOTE FILE');
const settings = toSettings({ remote }, {});
console.log(String(mode === 'apply' ? await measureApply(file) : await measureRaw(remote, file)));

async function measureApply(path: string): Promise<number> {
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
async function measureRaw(to: string, path: string): Promise<number> {
  const desired = await loadTopology(path);
  const client = await connectSwitch(settings);
  const observed = observeSwitch(client.snapshot());
  const transaction = compileChanges(diffSwitch(desired, observed).changes, observed);
  await client.close();
  const request = { id: 1, method: 'transact', params: ['Open_vSwitch', ...transaction.operations] };

  const start = performance.now();
  const socket = connect(to.replace(/^unix:/, ''));
  socket.write(JSON.stringify(request));
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // The reply is the only message, and ends as it: `…,"error":null}`.
    if (chunk.at(-1) === 0x7d && Buffer.concat(chunks, bytes).subarray(-14).includes('"error":null')) break;
    if (chunk.at(-1) === 0x7d && chunks.length === 1 && Buffer.concat(chunks).includes('"error"')) break;
  }
  const reply = JSON.parse(Buffer.concat(chunks, bytes).toString()) as { result?: unknown[] };
  const ms = performance.now() - start;
  if (reply.result?.length !== transaction.operations.length) throw new Error('the transaction failed');
  return ms;
}
