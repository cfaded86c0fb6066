/**
 * What a topology file may say: one zod schema for validation, for the decoded types and for the JSON Schema that
 * editors read. Only what can be told from one value alone; what needs two (names, duplicates) is check.ts's.
 *
 * An error text of our own in here is an issue code (src/errors.ts); issues.ts makes the message of it.
 */
import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { toBitsPerSecond } from '../units/bitrate.ts';
import { toByteSize } from '../units/bytesize.ts';
import { toCidr, toIpAddress } from '../units/cidr.ts';
import { isNicMac, toMac } from '../units/mac.ts';
import { MAX_VLAN_ID, toVlanId, toVlanRange, type VlanId } from '../units/vlan.ts';

/** Where the file does not say. */
export const DEFAULTS = Object.freeze({
  datapath: 'auto',
  visibility: 'pairs',
  model: 'virtio',
  backend: 'tap',
  /** Enough for a small Linux guest; QEMU's own default is 128 MiB. */
  memoryBytes: 256 * 2 ** 20,
  cpus: 1,
} as const);

/** Topologies, networks, profiles and VMs; 63 is the limit of a host name's label too (RFC 1035 §2.3.4). */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
/** Bridges and uplinks are Linux devices: at most 15 bytes (IFNAMSIZ), no `/`, `:` or space (dev_valid_name). */
const DEVICE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,14}$/;

const MIN_MEMORY_BYTES = 2 ** 20;

const code = <C extends ErrorCode>(value: C): { error: C } => ({ error: value });

/** A number or text that a function of units/ decodes; `undefined` from it is the issue. */
function decoded<T>(issue: ErrorCode, decode: (value: number | string) => T | undefined) {
  return z.union([z.number(), z.string()], code(issue)).transform((value, context): T => {
    const result = decode(value);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: issue });
    return z.NEVER;
  });
}

/** The same for text only. */
function decodedText<T>(issue: ErrorCode, decode: (text: string) => T | undefined) {
  return z.string(code(issue)).transform((text, context): T => {
    const result = decode(text);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: issue });
    return z.NEVER;
  });
}

const name = z.string().regex(NAME, code('NAME_INVALID'));
const deviceName = z.string().regex(DEVICE_NAME, code('NAME_INVALID'));
const rate = decoded('RATE_INVALID', toBitsPerSecond);
const cidr = decodedText('CIDR_INVALID', toCidr);
const ipAddress = decodedText('IP_INVALID', toIpAddress);
const mac = z.string(code('MAC_INVALID')).transform((text, context) => {
  const address = toMac(text);
  if (address !== undefined && isNicMac(address)) return address;
  context.addIssue({ code: 'custom', message: address === undefined ? 'MAC_INVALID' : 'MAC_UNUSABLE' });
  return z.NEVER;
});
const memory = decoded('SIZE_INVALID', (value) => {
  const bytes = toByteSize(value);
  return bytes !== undefined && bytes >= MIN_MEMORY_BYTES ? bytes : undefined;
});

const vlanId = z
  .int(code('VLAN_INVALID'))
  .min(0, code('VLAN_INVALID'))
  .max(MAX_VLAN_ID, code('VLAN_INVALID'))
  .transform((value, context): VlanId => {
    const id = toVlanId(value);
    if (id !== undefined) return id;
    context.addIssue({ code: 'custom', message: 'VLAN_INVALID' });
    return z.NEVER;
  });

const trunk = z
  .array(decoded('VLAN_INVALID', toVlanRange))
  .min(1, code('TRUNK_EMPTY'))
  .transform((ranges): VlanId[] => [...new Set(ranges.flat())].sort((a, b) => a - b))
  .describe('VLANs that pass tagged: ids and ranges, such as [10, 20, 100-110]. Never empty.');

const vlanTrunk = z
  .strictObject({
    trunk,
    native: vlanId
      .optional()
      .describe('VLAN of frames that come without a tag; one of "trunk". Default: none, they are dropped.'),
    nativeTagged: z
      .boolean()
      .default(false)
      .describe('true: frames of the native VLAN leave with their tag; false: without.'),
  })
  .describe('A trunk: several VLANs, tagged.');

const vlan = z
  .union(
    [vlanId.describe('Access: one VLAN, untagged towards the device; 0 is no VLAN.'), vlanTrunk],
    code('VLAN_INVALID'),
  )
  .describe('A VLAN id from 0 to 4094 (access), or { trunk, native, nativeTagged }.');

const model = z
  .enum(['virtio', 'e1000', 'rtl8139'])
  .optional()
  .meta({ default: DEFAULTS.model, description: 'The NIC that the guest sees.' });
const backend = z
  .enum(['tap'])
  .optional()
  .meta({ default: DEFAULTS.backend, description: 'How QEMU reaches the switch.' });
const limit = z
  .strictObject({
    sent: rate.optional().describe('Cap on what the VM sends, bit/s: 500M, 1.5G. Default: none.'),
    received: rate.optional().describe('Cap on what the VM receives, bit/s: 500M, 1.5G. Default: none.'),
  })
  .describe('Caps on rates in bit/s (decimal prefixes), as seen from the VM.');

const uplink = z
  .strictObject({
    device: deviceName.describe('A network device of the host, such as eno1.'),
    trunk: trunk.optional(),
    vlan: vlan.optional(),
    adopt: z
      .boolean()
      .default(false)
      .describe('true: take the port over where something else has put it on the bridge.'),
  })
  .describe('A network device that joins the bridge. Without "vlan" and "trunk" all VLANs pass.');

const bridge = z
  .strictObject({
    datapath: z
      .enum(['auto', 'system', 'netdev'])
      .default(DEFAULTS.datapath)
      .describe('system: the kernel module; netdev: userspace; auto: system where the module is there.'),
    uplinks: z
      .array(uplink)
      .nullish()
      .meta({ default: [], description: 'Ways out of the host. Default: none.' }),
    rstp: z.boolean().optional().describe('Rapid Spanning Tree. Default: left as it is.'),
    mcastSnooping: z
      .boolean()
      .optional()
      .describe('Send multicast only where somebody listens. Default: left as it is.'),
    visibility: z
      .enum(['ports', 'pairs'])
      .default(DEFAULTS.visibility)
      .describe('What is counted: packets and bytes of each port, or also who sends to whom.'),
    adopt: z.boolean().default(false).describe('true: take the bridge over where something else made it.'),
  })
  .describe('An Open vSwitch bridge; its name is a device name of at most 15 bytes.');

const network = z
  .strictObject({
    bridge: z.string().describe('The bridge it is on: a name under "bridges".'),
    vlan: vlanId.optional().describe('VLAN id from 0 to 4094 of its access NICs. Default: untagged.'),
    cidr: cidr
      .optional()
      .describe('Its addresses, 10.1.0.0/24 or fd00:1::/64. Default: NICs get no address.'),
  })
  .describe('What NICs plug into.');

const profile = z
  .strictObject({
    model,
    backend,
    vlan: vlan.optional(),
    limit: limit.optional(),
  })
  .describe('NIC settings to use again; what the NIC says itself comes first.');

const nic = z
  .strictObject({
    network: z.string().describe('What it plugs into: a name under "networks".'),
    profile: z
      .string()
      .optional()
      .describe('Settings to start from: a name under "profiles". Default: none.'),
    model,
    backend,
    mac: mac
      .optional()
      .describe('Ethernet address. Default: derived from topology, VM and place in the list; stable.'),
    ip: ipAddress
      .optional()
      .describe('IP address without prefix. Default: a free one of the network, derived likewise; stable.'),
    vlan: vlan
      .optional()
      .describe('A VLAN id (access), or { trunk, … }. Default: access to the network’s VLAN.'),
    limit: limit.optional(),
    adopt: z
      .boolean()
      .default(false)
      .describe('true: take the port over where something else has put it on the bridge.'),
  })
  .describe('A NIC. Its tap is named VM-PLACE, such as web1-0, shortened to 15 bytes with a hash.');

const boot = z
  .strictObject({
    kernel: z.string().min(1).describe('Path of the kernel image, from the directory of this file.'),
    initrd: z.string().min(1).optional().describe('Path of the initial RAM disk, likewise. Default: none.'),
    append: z.string().default('').describe('Kernel command line. vsb adds the addresses of the NICs.'),
  })
  .describe('Boot a kernel directly.');

const vm = z
  .strictObject({
    memory: memory
      .optional()
      .meta({ default: '256M', description: 'RAM in bytes, binary prefixes: 256M, 2G.' }),
    cpus: z.int().min(1).max(512).default(DEFAULTS.cpus).describe('Virtual CPUs, 1 to 512.'),
    boot: boot.optional(),
    nics: z
      .array(nic)
      .nullish()
      .meta({ default: [], description: 'Its NICs, in the order the guest sees them.' }),
  })
  .describe('A guest.');

// An empty section or entry (`br0:`) is null in YAML and means: all defaults.
const section = <K extends z.core.$ZodRecordKey, V extends z.ZodType>(
  key: K,
  value: V,
  description: string,
) => z.record(key, value).nullish().meta({ default: {}, description });

const topology = z
  .strictObject({
    version: z.literal(1).describe('Version of this format.'),
    name: name.describe('Owner mark of everything this file makes.'),
    bridges: section(deviceName, bridge.nullable(), 'Open vSwitch bridges by name.'),
    networks: section(name, network, 'Networks by name.'),
    profiles: section(name, profile.nullable(), 'NIC profiles by name.'),
    vms: section(name, vm.nullable(), 'Guests by name.'),
  })
  .describe('A vswitchboard topology.');

/** A file that the schema accepts, decoded: rates, addresses and VLANs are those of units/. */
export type TopologyDocument = z.output<typeof topology>;
export type BridgeEntry = z.output<typeof bridge>;
export type UplinkEntry = z.output<typeof uplink>;
export type NetworkEntry = z.output<typeof network>;
export type ProfileEntry = z.output<typeof profile>;
export type VmEntry = z.output<typeof vm>;
export type NicEntry = z.output<typeof nic>;
export type VlanEntry = z.output<typeof vlan>;

/** Decodes a value of the YAML reader; the issues are zod's, for issues.ts to read. */
export function decodeTopology(
  value: unknown,
): { ok: true; document: TopologyDocument } | { ok: false; issues: readonly z.core.$ZodIssue[] } {
  const result = topology.safeParse(value);
  return result.success ? { ok: true, document: result.data } : { ok: false, issues: result.error.issues };
}

/** The JSON Schema (draft 2020-12) of topology files, with descriptions, units and defaults for editors. */
export function topologyJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(topology, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      // zod leaves out a default above a transform, as it cannot know that ours are in the words of the file.
      const value: unknown = z.globalRegistry.get(zodSchema)?.['default'];
      if (value !== undefined) Object.assign(jsonSchema, { default: value });
    },
  });
  return { title: 'vswitchboard topology', ...schema };
}

/** An object of the file: where it stands (`*` for names and indexes), its keys, and those of later versions. */
export interface ObjectKeys {
  readonly keys: readonly string[];
  readonly later: readonly string[];
}

/** Objects by place, so that an unknown key can be told from a later one and from a misspelt one. */
export const OBJECTS: ReadonlyMap<string, ObjectKeys> = new Map(
  Object.entries({
    '': { keys: Object.keys(topology.shape), later: ['mirrors', 'exporters'] },
    'bridges.*': { keys: Object.keys(bridge.shape), later: [] },
    'bridges.*.uplinks.*': { keys: Object.keys(uplink.shape), later: ['bond', 'mode', 'lacp'] },
    'networks.*': { keys: Object.keys(network.shape), later: ['linuxBridge'] },
    'profiles.*': { keys: Object.keys(profile.shape), later: ['dscp', 'antiSpoof'] },
    'vms.*': { keys: Object.keys(vm.shape), later: ['disks'] },
    'vms.*.boot': { keys: Object.keys(boot.shape), later: [] },
    'vms.*.nics.*': { keys: Object.keys(nic.shape), later: ['dscp', 'antiSpoof', 'guarantee'] },
    limit: { keys: Object.keys(limit.shape), later: [] },
    vlan: { keys: Object.keys(vlanTrunk.shape), later: [] },
  }),
);

/** Values of later versions, by key; for a mapping its first key counts. */
export const LATER_VALUES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    backend: ['vhost-net', 'vhost-user', 'macvtap', 'passthrough'],
    visibility: ['conversations'],
  }),
);
