/**
 * Compares the devices that a topology wants with those that are there. Pure: no I/O, no clock. Devices that are not
 * marked as this topology's are never changed, unless the file says `adopt: true`.
 */
import type { Diff, FieldChange, Refusal } from '../domain.ts';
import type { VsbError } from '../errors.ts';
import type { DesiredState } from '../topology/desired.ts';
import { markFor } from './mark.ts';
import { notesOn } from './notes.ts';
import { obstacleBelow, obstacleOf, wordsOf } from './obstacles.ts';
import { passthroughRefusals, vhostNetRefusals } from './refusals.ts';
import { deviceSpecs } from './specs.ts';
import type {
  CreateDevice,
  DeviceSpec,
  HostChange,
  ObservedDevice,
  ObservedHost,
  RemoveDevice,
  UpdateDevice,
} from './types.ts';

/** What has to be done so that each NIC has its device, and none is left of NICs that are gone. Sorted by name. */
export function diffHost(desired: DesiredState, observed: ObservedHost): Diff<HostChange> {
  const specs = deviceSpecs(desired);
  const found = specs.map((spec) => compare(desired.name, spec, observed));
  const wanted = new Set(specs.map((spec) => spec.name));
  const gone = leaving(desired.name, observed, wanted, 'the topology has no NIC for it any more');
  return {
    changes: [...found.flatMap((one) => one.change ?? []), ...gone].sort(byName),
    refusals: [
      ...found.flatMap((one) => one.refusal ?? []),
      ...vhostNetRefusals(desired, observed),
      ...passthroughRefusals(desired, observed),
    ].sort(byName),
    notes: notesOn(desired),
  };
}

/** What has to go so that no device of this topology is left. Sorted by name. */
export function removalFromHost(topologyName: string, observed: ObservedHost): Diff<HostChange> {
  const gone = leaving(topologyName, observed, new Set(), `topology "${topologyName}" is destroyed`);
  return { changes: gone.sort(byName), refusals: [] };
}

/** The field's word for a device. */
export function kindName({ kind }: Pick<DeviceSpec, 'kind'>): HostChange['kind'] {
  return kind === 'bridge' ? 'Linux bridge' : kind;
}

function compare(
  topologyName: string,
  spec: DeviceSpec,
  observed: ObservedHost,
): { readonly change?: HostChange | undefined; readonly refusal?: Refusal | undefined } {
  const refuse = (error: VsbError) => ({
    refusal: { domain: 'host', kind: kindName(spec), name: spec.name, error } as const,
  });
  const device = observed.devices.get(spec.name);
  const obstacle = device && obstacleOf(topologyName, spec, device);
  if (obstacle) return refuse(obstacle);
  const change = device ? correction(topologyName, spec, device) : creation(spec);
  const isMade = change?.verb === 'create' || change?.recreateAs !== undefined;
  const below = spec.kind === 'macvtap' && isMade ? obstacleBelow(spec, observed) : undefined;
  return below ? refuse(below) : { change };
}

function creation(spec: DeviceSpec): CreateDevice {
  return {
    domain: 'host',
    verb: 'create',
    kind: kindName(spec),
    name: spec.name,
    ...(spec.nic === undefined ? {} : { nic: spec.nic }),
    reason: spec.nic === undefined ? 'NICs plug into it' : `NIC ${spec.nic} has no ${spec.kind}`,
    impact: 'none',
    fields: [
      { field: 'alias', from: undefined, to: spec.mark },
      { field: 'state', from: undefined, to: 'up' },
      ...madeWith(spec),
    ],
    spec,
  };
}

function madeWith(spec: DeviceSpec): FieldChange[] {
  const settings: Record<string, string | undefined> = {
    mtu: spec.mtu?.toString(),
    ...(spec.kind === 'tap'
      ? { queues: spec.multiQueue ? 'several' : undefined, master: spec.linuxBridge }
      : {}),
    ...(spec.kind === 'macvtap' ? { link: spec.lower, mode: spec.mode, address: spec.mac } : {}),
  };
  return Object.entries(settings).flatMap(([field, to]) =>
    to === undefined ? [] : [{ field, from: undefined, to }],
  );
}

/** @returns `undefined` where the device is as it should be */
function correction(
  topologyName: string,
  spec: DeviceSpec,
  device: ObservedDevice,
): UpdateDevice | undefined {
  const mark = markFor(topologyName, device.alias);
  // One that something else made is used, and nothing about it is changed.
  if (spec.kind === 'bridge' && !mark) return undefined;
  const alias = (mark ? mark.isAdopted : true) ? spec.adoptedMark : spec.mark;
  const made = anew(spec, device);
  const settings = made ?? differences(spec, device);
  if (alias !== device.alias) {
    settings.unshift({
      field: 'alias',
      from: device.alias,
      to: alias,
      set: `alias "${alias}"`,
      reason: mark
        ? `it was ${wordsOf({ kind: spec.kind, nic: mark.nic })}`
        : 'it was made by something else, and the file says "adopt: true"',
    });
  }
  if (settings.length === 0) return undefined;
  const isCut = made !== undefined && (spec.kind === 'macvtap' || device.hasCarrier);
  return {
    domain: 'host',
    verb: 'update',
    kind: kindName(spec),
    name: spec.name,
    ...(spec.nic === undefined ? {} : { nic: spec.nic }),
    reason: settings.map(({ reason }) => reason).join('; '),
    impact: isCut ? 'traffic-gap' : settings.some(({ field }) => field === 'master') ? 'port-bounce' : 'none',
    ...(isCut
      ? {
          collateral: [
            `a guest that runs on ${spec.name} (${spec.nic ?? ''}) is cut off until it is started again`,
          ],
        }
      : {}),
    fields: settings.map(({ field, from, to }) => ({ field, from, to })),
    aliasBefore: device.alias,
    // What a change of the kind needs (`type macvtap mode …`) is the last that `ip` takes.
    set: settings.flatMap(({ set }) => set ?? []),
    recreateAs: made && { ...spec, mark: alias },
    // A tap joins a Linux bridge when Open vSwitch has let go of it: never in both.
    ...(settings.some(({ field, to }) => field === 'master' && to !== undefined) ? { isLate: true } : {}),
  };
}

interface Setting extends FieldChange {
  /** Words of `ip link set`; `undefined` where the device is made anew. */
  readonly set?: string;
  readonly reason: string;
}

/** What the kernel can change. */
function differences(spec: DeviceSpec, device: ObservedDevice): Setting[] {
  const settings: Setting[] = [];
  if (!device.isUp)
    settings.push({ field: 'state', from: 'down', to: 'up', set: 'up', reason: 'it is down' });
  if (spec.mtu !== undefined && spec.mtu !== device.mtu) {
    const [from, to] = [String(device.mtu), String(spec.mtu)];
    settings.push({ field: 'mtu', from, to, set: `mtu ${to}`, reason: `its MTU is ${from}` });
  }
  if (spec.kind === 'tap' && isMisplaced(spec.linuxBridge, device)) {
    const [from, to] = [device.master, spec.linuxBridge];
    const set = to === undefined ? 'nomaster' : `master ${to}`;
    settings.push({
      field: 'master',
      from,
      to,
      set,
      reason: from === undefined ? 'it is in no bridge' : `it is in ${from}`,
    });
  }
  if (spec.kind === 'macvtap') {
    if (spec.mac !== device.mac)
      settings.push({
        field: 'address',
        from: device.mac,
        to: spec.mac,
        set: `address ${spec.mac}`,
        reason: 'its address differs',
      });
    if (spec.mode !== device.mode)
      settings.push({
        field: 'mode',
        from: device.mode,
        to: spec.mode,
        set: `type macvtap mode ${spec.mode}`,
        reason: 'its mode differs',
      });
  }
  return settings;
}

/** What it cannot change, so that the device is made anew; `undefined` where there is none of it. */
function anew(spec: DeviceSpec, device: ObservedDevice): Setting[] | undefined {
  if (spec.kind === 'tap' && spec.multiQueue !== device.multiQueue) {
    const [from, to] = device.multiQueue ? ['several', 'one'] : ['one', 'several'];
    return [
      {
        field: 'queues',
        from,
        to,
        reason: `it was made with ${from === 'one' ? 'one queue' : 'several queues'}`,
      },
    ];
  }
  if (spec.kind !== 'macvtap') return undefined;
  if (spec.lower !== device.lower) {
    return [
      {
        field: 'link',
        from: device.lower,
        to: spec.lower,
        reason: `it is on ${device.lower ?? 'another device'}`,
      },
    ];
  }
  const isExclusive = (mode: string | undefined): boolean => mode === 'passthru';
  return isExclusive(spec.mode) === isExclusive(device.mode)
    ? undefined
    : [{ field: 'mode', from: device.mode, to: spec.mode, reason: 'the kernel does not change that mode' }];
}

/** Open vSwitch's kernel datapath is a master too, and switch/'s affair. */
function isMisplaced(linuxBridge: string | undefined, { master }: ObservedDevice): boolean {
  return linuxBridge === undefined ? master !== undefined && master !== OVS_MASTER : master !== linuxBridge;
}

const OVS_MASTER = 'ovs-system';

function leaving(
  topologyName: string,
  observed: ObservedHost,
  wanted: ReadonlySet<string>,
  reason: string,
): (RemoveDevice | UpdateDevice)[] {
  return [...observed.devices.values()].flatMap((device): (RemoveDevice | UpdateDevice)[] => {
    const mark = markFor(topologyName, device.alias);
    if (!mark || device.alias === undefined || wanted.has(device.name)) return [];
    const fields = [{ field: 'alias', from: device.alias, to: undefined }];
    const kind = device.kind === 'bridge' ? 'Linux bridge' : device.kind === 'macvtap' ? 'macvtap' : 'tap';
    const nic = mark.nic === undefined ? {} : { nic: mark.nic };
    const about = { domain: 'host', kind, name: device.name, ...nic, fields } as const;
    const { alias: aliasBefore, hasCarrier } = device;
    const release = (why: string): UpdateDevice[] => [
      {
        ...about,
        verb: 'update',
        reason: `${reason}; ${why}, so only the owner mark goes`,
        impact: 'none',
        aliasBefore,
        set: ['alias ""'],
        recreateAs: undefined,
      },
    ];
    if (mark.isAdopted || !OUR_KINDS.has(device.kind)) return release('it was there before');
    if (device.kind === 'bridge' && hasOthers(topologyName, device.name, observed))
      return release('others are plugged into it');
    const removal = { ...about, verb: 'remove', reason, aliasBefore } as const;
    // A macvtap has the carrier of the device below: whether a guest runs on it nobody tells.
    if (device.kind !== 'tap' || !hasCarrier) return [{ ...removal, impact: 'none' }];
    const collateral = [`the guest that runs on ${device.name} (${mark.nic ?? ''}) is cut off`];
    return [{ ...removal, impact: 'traffic-gap', collateral }];
  });
}

const OUR_KINDS: ReadonlySet<string> = new Set<DeviceSpec['kind']>(['tap', 'macvtap', 'bridge']);

function hasOthers(topologyName: string, bridge: string, observed: ObservedHost): boolean {
  return [...observed.devices.values()].some(
    ({ master, alias }) => master === bridge && !markFor(topologyName, alias),
  );
}

/** By code unit, so that the same state gives the same order everywhere. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
