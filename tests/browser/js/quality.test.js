import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';

import { qualityPercent, qualityWord } from '../../../htdocs/remsim/quality-percent.js';
import { cellsOf } from '../../../htdocs/remsim/widget-cells.js';

const INPUTS = ['rsrp_dbm', 'rsrq_db', 'sinr_db', 'latency_ms', 'loss_percent'];
const SAMPLES = [[-85, -11, 14, 40, 0], [-130, -30, -20, 900, 100], [-60, -3, 35, 5, 0], [null, null, 6.5, null, 12], [-100, null, null, 50, null], [null, null, null, 20, 0], [-95.5, -13, 0, 333, 2]];

test('pages and service count the quality alike', () => {
	const program = 'import json, sys; from remsim.telemetry.quality import quality_percent\nprint(json.dumps([quality_percent(one) for one in json.load(sys.stdin)]))';
	const told = JSON.parse(execFileSync(process.env.PYTHON || '.venv/bin/python', ['-c', program], { input: JSON.stringify(SAMPLES), cwd: new URL('../../..', import.meta.url) }));
	SAMPLES.forEach((values, at) => {
		const own = qualityPercent(Object.fromEntries(INPUTS.map((name, index) => [name, values[index]])));
		assert.ok(told[at] === null ? own === null : Math.abs(own - told[at]) < 0.001, `${values}: ${own}, not ${told[at]}`);
	});
	assert.equal(qualityPercent(null), null);
	assert.deepEqual([0, 25, 49.9, 100].map(qualityWord), ['poor', 'fair', 'fair', 'excellent']);
});

test('cells stand by the time they served; what is not known is no cell', () => {
	const segments = [{ from: 0, to: 10, value: '1/1' }, { from: 10, to: 40, value: '1/2' }, { from: 40, to: 50, value: null }, { from: 50, to: 60, value: '1/1' }];
	assert.deepEqual(cellsOf(segments), [{ name: '1/2', seconds: 30, share: 0.6 }, { name: '1/1', seconds: 20, share: 0.4 }]);
	assert.deepEqual(cellsOf([]), []);
});
