/** What becomes of the compact answers about the past: `node --test tests/browser/js`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { fetchSeries, pointsOf, segmentsOf, seriesOf } from '../../../htdocs/remsim/series.js';

test('a grid becomes points; what was skipped is no gap, what is unknown is one', () => {
	const points = pointsOf({ start: 100, step_s: 10, avg: [1, null, 2, null, 3], min: [0, null, 2, null, 3], max: [1, null, 4, null, 3], skipped: [1] }, 140);
	assert.deepEqual(points, [[100, 0, 1, 1], [120, 2, 2, 4], [130, null, null, null], [140, 3, 3, 3]]);
});

test('without a band least and greatest are the mean, and the span that is still open ends now', () => {
	assert.deepEqual(pointsOf({ start: 60, step_s: 60, avg: [5, 6], min: null, max: null }, 90), [[60, 5, 5, 5], [90, 6, 6, 6]]);
});

test('a period to compare stands over the one that is shown', () => {
	const series = { modem: 'm', measure: 'x', unit: 'dB', source: 'archive', start: 100, step_s: 10, avg: [1], min: null, max: null };
	const found = seriesOf({ from: 90, to: 110, shift_s: 3600, series: [{ ...series, anomalies: { spans: [{ from: 90, to: 100, value: 1, score: 9 }] } }], absent: [{ modem: 'm', measure: 'y', reason: 'why' }] });
	assert.equal(found.get('m x').points[0][0], 3700);
	assert.deepEqual(found.get('m x').anomalies.spans[0], { from: 3690, to: 3700, value: 1, score: 9 });
	assert.deepEqual(found.period, { from: 3690, to: 3710 });
	assert.deepEqual([found.get('m y').points, found.get('m y').reason], [[], 'why']);
});

test('one request asks for a whole page', async () => {
	const asked = [];
	await fetchSeries(async (path, options) => { asked.push([path, options.query]); return { from: 0, to: 1, series: [], absent: [] }; },
		{ modems: ['a', 'b'], measures: ['x', 'y'], range: '24h', points: 300, band: false });
	assert.deepEqual(asked, [['series/batch', { range: '24h', modem: 'a,b', measure: 'x,y', points: 300, shift: null, band: 0, stats: null, anomalies: null }]]);
});

test('changes become segments that fill the period', () => {
	assert.deepEqual(segmentsOf([[0, null], [5, 'LTE']], 9), [{ from: 0, to: 5, value: null }, { from: 5, to: 9, value: 'LTE' }]);
});
