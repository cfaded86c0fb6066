/** Committed is not yet in effect: asks the switch, and the kernel, what became of each desired bridge and port. */
import type { Finding, WaitOptions } from '../domain.ts';
import { fail, type ErrorCode, type ErrorDetails } from '../errors.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { BridgeRow, InterfaceRow, OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import type { DesiredState } from '../topology/desired.ts';
import { renderDuration } from '../units/duration.ts';
import { limitFindings } from './limits.ts';
import { toPipelineBridges } from './pipeline/pipelinebridge.ts';
import { pipelineFindings } from './pipeline/pipelinefindings.ts';
import { portSpecs, type PortSpec } from './portspec.ts';
import { waitUntilTakenUp } from './takenup.ts';

export interface VerifyOptions extends WaitOptions {
  /** What `cur_cfg` must reach first; `undefined`: we wrote nothing, so what others asked for last. */
  readonly nextCfg: bigint | undefined;
  readonly netns: string | undefined;
  /** Where ovs-vswitchd has its management sockets. */
  readonly ovsRundir: string;
}

/** What is in the database and not in effect, each named with the switch's own words. */
export async function verifySwitch(
  client: OvsdbClient<OpenVSwitchTables>,
  desired: DesiredState,
  options: VerifyOptions,
): Promise<Finding[]> {
  const stale = await waitForVswitchd(client, options);
  if (stale) return [stale];
  const snapshot = client.snapshot();
  const specs = portSpecs(desired);
  const interfaces = new Map([...snapshot.table('Interface').values()].map((row) => [row.name, row]));
  const bridges = desired.bridges.flatMap(({ name }) => bridgeFinding(snapshot, name, interfaces.get(name)));
  const ports = specs.flatMap((spec) => portFinding(spec, interfaces.get(spec.name)));
  const lost = new Set(ports.map((finding) => finding.name));
  // A limit needs a device: where that is missing, one finding is enough.
  const limits = await limitFindings(
    specs.filter((spec) => !lost.has(spec.name)),
    options,
  );
  const down = new Set(bridges.map((finding) => finding.name));
  const pipelines = toPipelineBridges(snapshot);
  for (const name of down) pipelines.delete(name);
  return [...bridges, ...ports, ...limits, ...(await pipelineFindings(desired, pipelines, options))];
}

async function waitForVswitchd(
  client: OvsdbClient<OpenVSwitchTables>,
  options: VerifyOptions,
): Promise<Finding | undefined> {
  const [root] = client.snapshot().table('Open_vSwitch').values();
  const nextCfg = options.nextCfg ?? root?.next_cfg;
  if (nextCfg === undefined || (await waitUntilTakenUp(client, nextCfg, options))) return undefined;
  return toFinding('Open_vSwitch', '.', undefined, 'SWITCH_NOT_CURRENT', {
    waited: renderDuration(options.deadlineMs),
  });
}

/** A bridge needs a datapath, and its own port, whose name another device of the host may have. */
function bridgeFinding(
  snapshot: Snapshot<OpenVSwitchTables>,
  name: string,
  own: InterfaceRow | undefined,
): Finding[] {
  const row = findBridge(snapshot, name);
  if (row?.datapath_id !== undefined) {
    if (own?.error === undefined) return [];
    return [toFinding('Bridge', name, undefined, 'BRIDGE_PORT_FAILED', { bridge: name, why: own.error })];
  }
  const datapath = row?.datapath_type || 'system';
  return [toFinding('Bridge', name, undefined, 'BRIDGE_NOT_UP', { bridge: name, datapath })];
}

function findBridge(snapshot: Snapshot<OpenVSwitchTables>, name: string): BridgeRow | undefined {
  for (const row of snapshot.table('Bridge').values()) if (row.name === name) return row;
  return undefined;
}

function portFinding(spec: PortSpec, row: InterfaceRow | undefined): Finding[] {
  const why = reasonNotAttached(row);
  if (why === undefined) return [];
  return [
    toFinding('Port', spec.name, spec.nic, 'PORT_NOT_ATTACHED', {
      port: spec.name,
      bridge: spec.bridge,
      why,
    }),
  ];
}

function reasonNotAttached(row: InterfaceRow | undefined): string | undefined {
  if (!row) return 'the database has no such interface any more';
  if (row.error !== undefined) return row.error;
  if (row.ofport === undefined || row.ofport < 0n) return 'it has no OpenFlow port number';
  return undefined;
}

function toFinding<C extends ErrorCode>(
  kind: string,
  name: string,
  nic: string | undefined,
  code: C,
  details: ErrorDetails<C>,
): Finding {
  const { message } = fail(code, details);
  return { domain: 'switch', code, kind, name, ...(nic === undefined ? {} : { nic }), message };
}
