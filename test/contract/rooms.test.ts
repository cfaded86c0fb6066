import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const rooms = JSON.parse(readFileSync('scripts/rooms.json', 'utf8')) as Record<string, string[]>;

describe('rooms', () => {
  it('of the table are those of src/, each way', () => {
    const folders = readdirSync('src', { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || entry.name.endsWith('.ts'))
      .map((entry) => entry.name.replace(/\.ts$/, ''));
    expect(Object.keys(rooms).sort()).to.deep.equal(folders.sort());
  });

  it('are documented as they are enforced', () => {
    const page = readFileSync('docs/architecture.md', 'utf8');
    const documented = Object.fromEntries(
      [...page.matchAll(/^\| `([a-z]+)(?:\/|\.ts)` \| .* \| (.*) \|$/gm)].map(([, room, imports]) => [
        room ?? '',
        imports === '–' ? [] : (imports ?? '').split(', '),
      ]),
    );
    expect(documented).to.deep.equal(rooms);
  });

  it('import only rooms that there are', () => {
    for (const imports of Object.values(rooms)) expect(Object.keys(rooms)).to.include.members(imports);
  });
});
