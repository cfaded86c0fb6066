/**
 * The values that a topology file is made of, as zod schemas: names, VLANs, rates, addresses, sizes, decoded by the
 * functions of units/.
 *
 * An error text of our own in here is an issue code (src/errors.ts); issues.ts makes the message of it.
 */
import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { toBitsPerSecond } from '../units/bitrate.ts';
import { toByteSize } from '../units/bytesize.ts';
import { toCidr, toIpAddress } from '../units/cidr.ts';
import { isNicMac, toMac } from '../units/mac.ts';
import { toPciAddress } from '../units/pciaddress.ts';
import { MAX_VLAN_ID, toVlanId, toVlanRange, type VlanId } from '../units/vlan.ts';

/** Topologies, networks, profiles and VMs; 63 is the limit of a host name's label too (RFC 1035 §2.3.4). */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
/** Bridges and uplinks are Linux devices: at most 15 bytes (IFNAMSIZ), no `/`, `:` or space (dev_valid_name). */
const DEVICE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,14}$/;

const MIN_SIZE_BYTES = 2 ** 20;

/** The error text of a schema is an issue code. */
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

export const name = z.string().regex(NAME, code('NAME_INVALID'));
export const deviceName = z.string().regex(DEVICE_NAME, code('NAME_INVALID'));
export const rate = decoded('RATE_INVALID', toBitsPerSecond);
export const cidr = decodedText('CIDR_INVALID', toCidr);
export const ipAddress = decodedText('IP_INVALID', toIpAddress);
export const mac = z.string(code('MAC_INVALID')).transform((text, context) => {
  const address = toMac(text);
  if (address !== undefined && isNicMac(address)) return address;
  context.addIssue({ code: 'custom', message: address === undefined ? 'MAC_INVALID' : 'MAC_UNUSABLE' });
  return z.NEVER;
});
/** Of a VM's memory or a disk, in bytes. */
export const size = decoded('SIZE_INVALID', (value) => {
  const bytes = toByteSize(value);
  return bytes !== undefined && bytes >= MIN_SIZE_BYTES ? bytes : undefined;
});
export const pciAddress = decodedText('PCI_ADDRESS_INVALID', toPciAddress);

export const vlanId = z
  .int(code('VLAN_INVALID'))
  .min(0, code('VLAN_INVALID'))
  .max(MAX_VLAN_ID, code('VLAN_INVALID'))
  .transform((value, context): VlanId => {
    const id = toVlanId(value);
    if (id !== undefined) return id;
    context.addIssue({ code: 'custom', message: 'VLAN_INVALID' });
    return z.NEVER;
  });

export const trunk = z
  .array(decoded('VLAN_INVALID', toVlanRange))
  .min(1, code('TRUNK_EMPTY'))
  .transform((ranges): VlanId[] => [...new Set(ranges.flat())].sort((a, b) => a - b))
  .describe('VLANs that pass tagged: ids and ranges, such as [10, 20, 100-110]. Never empty.');

export const vlanTrunk = z
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

export const vlan = z
  .union(
    [vlanId.describe('Access: one VLAN, untagged towards the device; 0 is no VLAN.'), vlanTrunk],
    code('VLAN_INVALID'),
  )
  .describe('A VLAN id from 0 to 4094 (access), or { trunk, native, nativeTagged }.');
