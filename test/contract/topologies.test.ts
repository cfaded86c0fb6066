/** The example topologies ⇄ the code: they are well, mean what their comments say, and conform to the published schema. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DesiredNic, DesiredState } from '../../src/topology/desired.ts';
import { readTopology } from '../../src/topology/read.ts';
import { resolve } from '../../src/topology/resolve.ts';
import { OBJECTS, topologyJsonSchema } from '../../src/topology/schema.ts';

const DIRECTORY = fileURLToPath(new URL('../../topologies/', import.meta.url));
const FILES = readdirSync(DIRECTORY).filter((name) => name.endsWith('.vsb.yaml'));

function textOf(file: string): string {
  return readFileSync(`${DIRECTORY}${file}`, 'utf8');
}

function desiredOf(file: string): DesiredState {
  const result = readTopology(textOf(file), `${DIRECTORY}${file}`);
  if (!result.ok)
    throw new Error(result.issues.map(({ line, message }) => `${String(line)}: ${message}`).join('\n'));
  return resolve(result.topology);
}

function nicsOf(file: string): DesiredNic[] {
  return desiredOf(file).vms.flatMap((vm) => vm.nics);
}

const conforms = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(topologyJsonSchema());

describe('topologies/', () => {
  it('has the examples that the documentation names', () => {
    expect(FILES).to.include.members([
      'limits.vsb.yaml',
      'minimal.vsb.yaml',
      'trunks.vsb.yaml',
      'two-tier.vsb.yaml',
    ]);
  });

  for (const file of FILES) {
    it(`${file} is well, resolves, is named after its file and conforms to the schema`, () => {
      const state = desiredOf(file);
      expect(`${state.name}.vsb.yaml`).to.equal(file);
      expect(state.vms).to.not.have.lengthOf(0);
      conforms(load(textOf(file)));
      expect(conforms.errors ?? []).to.deep.equal([]);
    });
  }

  it('two-tier: three guests in two tiers that talk to each other', () => {
    const state = desiredOf('two-tier.vsb.yaml');
    expect(state.bridges.map(({ name, datapath }) => [name, datapath])).to.deep.equal([['br0', 'netdev']]);
    expect(
      nicsOf('two-tier.vsb.yaml').map(({ device, network, model }) => [device, network, model]),
    ).to.deep.equal([
      ['web1-0', 'web', 'virtio'],
      ['web1-1', 'db', 'virtio'],
      ['web2-0', 'web', 'e1000'],
      ['web2-1', 'db', 'e1000'],
      ['db1-0', 'db', 'rtl8139'],
    ]);
    expect(nicsOf('two-tier.vsb.yaml').filter(({ limit }) => limit.received !== undefined)).to.have.lengthOf(
      1,
    );
    // Whoever is talked to is there.
    const addresses = new Set(nicsOf('two-tier.vsb.yaml').map(({ ip }) => ip?.replace(/\/\d+$/, '')));
    const peers = state.vms.flatMap(
      ({ boot }) => /vsb\.talk=(\S+)/.exec(boot?.append ?? '')?.[1]?.split(',') ?? [],
    );
    expect(peers).to.not.have.lengthOf(0);
    expect(peers.filter((peer) => !addresses.has(peer))).to.deep.equal([]);
    for (const { boot } of state.vms) expect(boot?.kernel).to.match(/\/images\/vmlinux$/);
  });

  it('trunks: access, trunk, and both kinds of native', () => {
    const modes = nicsOf('trunks.vsb.yaml').map(({ vlan }) => vlan.mode);
    expect(new Set(modes)).to.deep.equal(new Set(['access', 'trunk', 'native-tagged', 'native-untagged']));
  });

  it('limits: what a profile says, and what a NIC says first', () => {
    expect(nicsOf('limits.vsb.yaml').map(({ limit }) => [limit.sent, limit.received])).to.deep.equal([
      [500e6, 1e9],
      [250e6, 1e9],
      [10e6, 20e6],
      [1.5e9, undefined],
    ]);
  });
});

interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | false;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

describe('the JSON Schema', () => {
  const objects: { at: string; node: SchemaNode }[] = [];
  const walk = (node: SchemaNode, at: string): void => {
    if (node.properties) objects.push({ at, node });
    for (const [key, child] of Object.entries(node.properties ?? {}))
      walk(child, at === '' ? key : `${at}.${key}`);
    if (node.additionalProperties) walk(node.additionalProperties, `${at}.*`);
    if (node.items) walk(node.items, `${at}.*`);
    for (const branch of node.anyOf ?? []) walk(branch, at);
  };
  walk(topologyJsonSchema(), '');

  it('explains every key', () => {
    const silent = objects.flatMap(({ at, node }) =>
      Object.entries(node.properties ?? {})
        .filter(([, child]) => (child.description ?? '') === '')
        .map(([key]) => `${at}.${key}`),
    );
    expect(silent).to.deep.equal([]);
  });

  it('has the same objects and keys as the table that tells unknown keys', () => {
    for (const { at, node } of objects) {
      const entry = OBJECTS.get(at) ?? OBJECTS.get(at.slice(at.lastIndexOf('.') + 1));
      expect(entry?.keys, at).to.deep.equal(Object.keys(node.properties ?? {}));
    }
  });

  it('refuses unknown keys, as the reader does', () => {
    expect(conforms({ version: 1, name: 'a', bridge: {} })).to.equal(false);
    expect(
      conforms({ version: 1, name: 'a', vms: { v: { nics: [{ network: 'n', modle: 'virtio' }] } } }),
    ).to.equal(false);
    expect(conforms({ version: 1, name: 'a', bridges: { br0: null }, vms: null })).to.equal(true);
  });

  it('names the defaults that the reader fills in', () => {
    const text = JSON.stringify(topologyJsonSchema());
    for (const value of ['"auto"', '"pairs"', '"virtio"', '"tap"', '"256M"', '1', '{}', '[]'])
      expect(text).to.include(`"default":${value}`);
  });
});
