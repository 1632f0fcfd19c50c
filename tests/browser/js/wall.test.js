import assert from 'node:assert/strict';
import test from 'node:test';

import { isNight } from '../../../htdocs/remsim/wall-layout.js';

test('a night goes over midnight, a midday does not', () => {
	assert.deepEqual(['21:59', '22:00', '00:00', '05:59', '06:00', '12:00'].map(now => isNight(now, '22:00', '06:00')), [false, true, true, true, false, false]);
	assert.deepEqual(['11:59', '12:00', '13:00'].map(now => isNight(now, '12:00', '13:00')), [false, true, false]);
	assert.deepEqual([isNight('12:00', '', ''), isNight('12:00', '12:00', '12:00')], [false, false]);
});
