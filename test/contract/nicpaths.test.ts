/** docs/nic-paths.md ⇄ its pictures ⇄ the backends that a file can name. */
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { topologyJsonSchema } from '../../src/topology/schema.ts';
import { nicPathPictures } from '../support/nicpathpictures.ts';

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const PAGE = readFileSync(`${DOCS}nic-paths.md`, 'utf8');

describe('the ways of a packet', () => {
  it('have pictures as they are drawn, each in the page, and no others', () => {
    const drawn = [...nicPathPictures()];
    const files = readdirSync(`${DOCS}images`).filter((name) => name.startsWith('nic-path-'));
    expect(files.sort()).to.deep.equal(drawn.map(([name]) => name).sort());
    const shown = [...PAGE.matchAll(/\(images\/(nic-path-[^)]*)\)/g)].map(([, name]) => name);
    expect(shown.sort()).to.deep.equal(files);
    for (const [name, svg] of drawn)
      expect(
        readFileSync(`${DOCS}images/${name}`, 'utf8'),
        `${name}: run scripts/draw-nic-paths.ts`,
      ).to.equal(svg);
  });

  it('are explained for every model and backend', () => {
    const schema = JSON.stringify(topologyJsonSchema());
    const names = ['virtio', 'e1000', 'rtl8139', 'tap', 'vhost-net', 'vhost-user', 'macvtap', 'passthrough'];
    for (const name of [...names, 'bridge', 'vepa', 'private', 'passthru']) {
      expect(schema, name).to.include(`"${name}"`);
      expect(PAGE, name).to.include(name);
    }
  });
});
