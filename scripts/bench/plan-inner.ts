/** One measurement of plan.ts, alone in its process: prints milliseconds. */
import { toSettings } from '../../src/app/settings.ts';
import { connectSwitch } from '../../src/app/switchclient.ts';
import { loadTopology } from '../../src/app/topology.ts';
import { diffSwitch } from '../../src/switch/diff.ts';
import { observeSwitch } from '../../src/switch/observe.ts';

const [, , remote, file] = process.argv;
if (remote === undefined || file === undefined) throw new Error('usage: plan-inner.ts REMOTE FILE');
await using client = await connectSwitch(toSettings({ remote }, {}));

const start = performance.now();
const desired = await loadTopology(file);
const { changes } = diffSwitch(desired, observeSwitch(client.snapshot()));
const ms = performance.now() - start;
if (changes.length > 0) throw new Error('the plan is not empty');
console.log(String(ms));
