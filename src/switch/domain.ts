/** Open vSwitch as a domain: observe, diff, apply, verify over one OVSDB client. */
import type { Domain, FailedChange } from '../domain.ts';
import { fail, toVsbError } from '../errors.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { DesiredState } from '../topology/desired.ts';
import { applySwitch } from './apply.ts';
import type { SwitchChange } from './change.ts';
import { diffSwitch, diffSwitchRemoval } from './diff.ts';
import { bridgesOf } from './pipeline/flowdiff.ts';
import { readBridgeFlows, type FlowsOptions } from './pipeline/flowreader.ts';
import { observeSwitch } from './observe.ts';
import type { ObservedPipelines, ObservedSwitch } from './observed.ts';
import { toPipelineBridges } from './pipeline/pipelinebridge.ts';
import { writePipeline } from './pipeline/pipelinewriter.ts';
import { waitUntilTakenUp } from './takenup.ts';
import { verifySwitch } from './verify.ts';

export interface SwitchDomainOptions {
  /** Holds at least SWITCH_COLUMNS. Its owner closes it. */
  readonly client: OvsdbClient<OpenVSwitchTables>;
  /** For messages. */
  readonly remote: string;
  /** Where the switch's devices are. */
  readonly netns: string | undefined;
  /** Where ovs-vswitchd has its management sockets (`<bridge>.mgmt`). */
  readonly ovsRundir: string;
  /** Where guests have their sockets, absolute; for vhost-user ports alone. */
  readonly runDir?: string | undefined;
  /** Rows only: ovs-vswitchd need not run, and nothing is waited for or verified. */
  readonly databaseOnly: boolean;
}

/** The switch behind a client. One call of `apply` follows one of `observe`; `verify` waits for the last `apply`. */
export function switchDomain(
  options: SwitchDomainOptions,
): Domain<DesiredState, ObservedSwitch, SwitchChange> {
  const { client, databaseOnly, netns, ovsRundir, remote, runDir } = options;
  let observed: ObservedSwitch | undefined;
  let nextCfg: bigint | undefined;
  return {
    observe: async (desired) => {
      const rows = { ...observeSwitch(client.snapshot()), runDir };
      observed = databaseOnly
        ? rows
        : { ...rows, pipelines: await observePipelines(desired, client, ovsRundir) };
      return observed;
    },
    diff: diffSwitch,
    removal: diffSwitchRemoval,
    apply: async (changes, wait) => {
      if (!observed) throw fail('INTERNAL', { what: 'the switch was not observed before apply' });
      const [flows, rows] = partition(changes, isOfFlows);
      if (rows.length > 0) {
        nextCfg = (await applySwitch(client, rows, observed, { databaseOnly, remote, signal: wait.signal }))
          .nextCfg;
      }
      if (nextCfg !== undefined && (flows.length > 0 || rows.some(takesAway))) {
        // Whoever removes the devices next must not pull them from under ovs-vswitchd, and flows need the numbers of
        // ports. Verify tells when it is late.
        if (!(await waitUntilTakenUp(client, nextCfg, wait))) return { failed: [] };
      }
      return {
        failed: await writeFlows(flows, client, { ovsRundir, limitMs: wait.deadlineMs, signal: wait.signal }),
      };
    },
    verify: async (desired, wait) =>
      databaseOnly ? [] : verifySwitch(client, desired, { ...wait, nextCfg, netns, ovsRundir }),
  };
}

function isOfFlows({ edit }: SwitchChange): boolean {
  return edit.edit === 'write-flows';
}

function takesAway(change: SwitchChange): boolean {
  return change.verb === 'remove';
}

function partition<T>(items: readonly T[], wanted: (item: T) => boolean): [yes: T[], no: T[]] {
  return [items.filter(wanted), items.filter((item) => !wanted(item))];
}

/** One bridge that cannot be read does not hide the others: verify says why. */
async function observePipelines(
  desired: DesiredState,
  client: OvsdbClient<OpenVSwitchTables>,
  ovsRundir: string,
): Promise<ObservedPipelines> {
  const bridges = toPipelineBridges(client.snapshot());
  const named = desired.bridges.map(({ name }) => name);
  const read = bridgesOf(desired.name, named, bridges).map(async ({ name }) => {
    try {
      return [[name, await readBridgeFlows(name, { ovsRundir })] as const];
    } catch {
      return [];
    }
  });
  return { bridges, flows: new Map((await Promise.all(read)).flat()) };
}

/** As the rows are by now, with the numbers that ovs-vswitchd gave the ports. */
async function writeFlows(
  changes: readonly SwitchChange[],
  client: OvsdbClient<OpenVSwitchTables>,
  options: FlowsOptions,
): Promise<FailedChange[]> {
  const bridges = toPipelineBridges(client.snapshot());
  const failed: FailedChange[] = [];
  for (const change of changes) {
    const bridge = bridges.get(change.name);
    if (!bridge) continue;
    try {
      await writePipeline(bridge, options);
    } catch (thrown) {
      failed.push({ change, error: toVsbError(thrown) });
    }
  }
  return failed;
}
