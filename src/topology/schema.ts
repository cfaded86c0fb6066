/**
 * What a topology file may say: one zod schema for validation, for the decoded types and for the JSON Schema that
 * editors read. Only what can be told from one value alone; what needs two (names, duplicates) is check.ts's. Its values
 * are values.ts's, NICs and disks have files of their own.
 */
import { z } from 'zod';
import { disk } from './diskschema.ts';
import { nic, NIC_OBJECTS, profile } from './nicschema.ts';
import { cidr, deviceName, name, size, trunk, vlan, vlanId, vlanTrunk } from './values.ts';

/** Where the file does not say. */
export const DEFAULTS = Object.freeze({
  datapath: 'auto',
  visibility: 'pairs',
  /** Enough for a small Linux guest; QEMU's own default is 128 MiB. */
  memoryBytes: 256 * 2 ** 20,
  cpus: 1,
} as const);

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
    bridge: z
      .string()
      .optional()
      .describe('The Open vSwitch bridge it is on: a name under "bridges". Default: none.'),
    linuxBridge: deviceName
      .optional()
      .describe('The plain Linux bridge it is on, instead; made where it is missing. Default: none.'),
    vlan: vlanId.optional().describe('VLAN id from 0 to 4094 of its access NICs. Default: untagged.'),
    cidr: cidr
      .optional()
      .describe('Its addresses, 10.1.0.0/24 or fd00:1::/64. Default: NICs get no address.'),
  })
  .describe('What NICs plug into.');

const boot = z
  .strictObject({
    kernel: z.string().min(1).describe('Path of the kernel image, from the directory of this file.'),
    initrd: z.string().min(1).optional().describe('Path of the initial RAM disk, likewise. Default: none.'),
    append: z.string().default('').describe('Kernel command line. vsb adds the addresses of the NICs.'),
  })
  .describe('Boot a kernel directly.');

const vm = z
  .strictObject({
    memory: size
      .optional()
      .meta({ default: '256M', description: 'RAM in bytes, binary prefixes: 256M, 2G.' }),
    cpus: z.int().min(1).max(512).default(DEFAULTS.cpus).describe('Virtual CPUs, 1 to 512.'),
    boot: boot.optional(),
    disks: z
      .array(disk)
      .nullish()
      .meta({ default: [], description: 'Its disks; without "boot" it starts from the first.' }),
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
export type DiskEntry = z.output<typeof disk>;
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
    'networks.*': { keys: Object.keys(network.shape), later: [] },
    'profiles.*': { keys: Object.keys(profile.shape), later: ['dscp', 'antiSpoof'] },
    'vms.*': { keys: Object.keys(vm.shape), later: [] },
    'vms.*.boot': { keys: Object.keys(boot.shape), later: [] },
    'vms.*.disks.*': { keys: Object.keys(disk.shape), later: [] },
    'vms.*.nics.*': { keys: Object.keys(nic.shape), later: ['dscp', 'antiSpoof', 'guarantee'] },
    vlan: { keys: Object.keys(vlanTrunk.shape), later: [] },
    ...Object.fromEntries(
      Object.entries(NIC_OBJECTS).map(([key, object]) => [
        key,
        { keys: Object.keys(object.shape), later: [] },
      ]),
    ),
  }),
);

/** Values of later versions, by key. */
export const LATER_VALUES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    visibility: ['conversations'],
  }),
);
