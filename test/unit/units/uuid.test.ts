import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { validate, version } from 'uuid';
import { uuidFromHash, uuidFromNames } from '../../../src/units/uuid.ts';

describe('units/uuid', () => {
  it('is a version 8 UUID of the names, the same each time', () => {
    const uuid = uuidFromNames('site', 'web1', '0');
    expect(validate(uuid)).to.equal(true);
    expect(version(uuid)).to.equal(8);
    // Stored in external_ids of running switches: these must never change. SHA-256 by `printf site/web1/0 | sha256sum`.
    const digest = createHash('sha256').update('site/web1/0').digest('hex');
    expect(uuid.replaceAll('-', '').slice(0, 12)).to.equal(digest.slice(0, 12));
    expect(uuid).to.equal('c07e3909-ec81-807b-a6e0-2059901359f3');
  });

  it('has the variant of RFC 9562 for every hash', () => {
    for (const digit of '0123456789abcdef') {
      const uuid = uuidFromHash(digit.repeat(32));
      expect([validate(uuid), version(uuid)]).to.deep.equal([true, 8]);
    }
  });

  it('differs where a name differs', () => {
    expect(uuidFromNames('site', 'web1')).to.not.equal(uuidFromNames('site', 'web2'));
    expect(uuidFromNames('site', 'web1')).to.not.equal(uuidFromNames('site', 'web1', '0'));
  });
});
