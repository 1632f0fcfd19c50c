import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { qualityPercent, qualityWord } from '../../../htdocs/remsim/link-quality.js';
import { cellsOf } from '../../../htdocs/remsim/widget-cells.js';

test('the quality of a live reading is what the service says', () => {
	const vectors = JSON.parse(readFileSync(new URL('../../fixtures/quality.json', import.meta.url))); // test_quality.py has them too
	for (const [reading, quality] of vectors) {
		const found = qualityPercent(reading);
		assert.ok(quality === null ? found === null : Math.abs(found - quality) < 0.001, JSON.stringify([reading, quality, found]));
	}
	assert.equal(qualityPercent({ rsrp_dbm: null, latency_ms: 3 }), null);
	assert.equal(qualityPercent(null), null);
	assert.deepEqual([0, 25, 49.9, 100].map(qualityWord), ['poor', 'fair', 'fair', 'excellent']);
});

test('cells stand by the time they served; what is not known is no cell', () => {
	const segments = [{ from: 0, to: 10, value: '1/1' }, { from: 10, to: 40, value: '1/2' }, { from: 40, to: 50, value: null }, { from: 50, to: 60, value: '1/1' }];
	assert.deepEqual(cellsOf(segments), [{ name: '1/2', seconds: 30, share: 0.6 }, { name: '1/1', seconds: 20, share: 0.4 }]);
	assert.deepEqual(cellsOf([]), []);
});
