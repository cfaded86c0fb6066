/** What libvirt's domains are, out of their XML (`virsh dumpxml`). Pure. */
import { XMLParser } from 'fast-xml-parser';
import { OWNER_NAMESPACE } from './libvirt-xml.ts';

/** A NIC as libvirt has it. */
export interface DomainNic {
  readonly mac: string | undefined;
  /** The device on the host, such as vnet3; a domain that does not run has none unless its XML names one. */
  readonly device: string | undefined;
  /** The bridge, or the device below a macvtap; `undefined` where libvirt does not plug it in itself. */
  readonly on: string | undefined;
  /** libvirt's word: bridge, ethernet, direct, vhostuser, network, user … */
  readonly type: string;
  readonly model: string | undefined;
}

export interface Domain {
  readonly name: string;
  readonly uuid: string;
  readonly isRunning: boolean;
  /** Whose VM it is, where the XML was made by vsb. */
  readonly owner: { readonly topology: string; readonly vm: string } | undefined;
  readonly emulated: boolean;
  readonly nics: readonly DomainNic[];
}

const PARSER = new XMLParser({
  attributeNamePrefix: '@',
  ignoreAttributes: false,
  parseTagValue: false,
  isArray: (name) => name === 'domain' || name === 'interface',
});

/** Reads domains that stand one after the other; what is no domain is passed over. */
export function readDomains(xml: string): Domain[] {
  // A text of several documents is none; in one element it is.
  const root: unknown = PARSER.parse(`<domains>${xml}</domains>`);
  return list(member(member(root, 'domains'), 'domain')).map(toDomain);
}

function toDomain(node: unknown): Domain {
  const owner = member(member(node, 'metadata'), 'vsb:owner');
  const [topology, vm] = [text(member(owner, '@topology')), text(member(owner, '@vm'))];
  const isOurs = text(member(owner, '@xmlns:vsb')) === OWNER_NAMESPACE;
  return {
    name: text(member(node, 'name')) ?? '',
    uuid: text(member(node, 'uuid')) ?? '',
    // Only a live domain has a number.
    isRunning: text(member(node, '@id')) !== undefined,
    owner: isOurs && topology !== undefined && vm !== undefined ? { topology, vm } : undefined,
    emulated: text(member(node, '@type')) === 'qemu',
    nics: list(member(member(node, 'devices'), 'interface')).map(toNic),
  };
}

function toNic(node: unknown): DomainNic {
  const source = member(node, 'source');
  return {
    mac: text(member(member(node, 'mac'), '@address')),
    device: text(member(member(node, 'target'), '@dev')),
    on: text(member(source, '@bridge')) ?? text(member(source, '@dev')),
    type: text(member(node, '@type')) ?? '',
    model: text(member(member(node, 'model'), '@type')),
  };
}

function member(node: unknown, name: string): unknown {
  return typeof node === 'object' && node !== null && Object.hasOwn(node, name)
    ? (node as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
