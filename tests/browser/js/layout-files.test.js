import assert from 'node:assert/strict';
import test from 'node:test';

import { jsonFault } from '../../../htdocs/remsim/dashboard-edit-files.js';

test('what is wrong with a JSON text has a place', () => {
	const faults = { '{"a": 1,\n "b": oh}': [2, 7], '{"a": 1,}': [1, 9], '[1, 2': [1, 6], '': [1, 1], '{"a" 1}': [1, 6], '[1] x': [1, 5], '"a\nb"': [1, 1], '{a: 1}': [1, 2], '[01]': [1, 3] };
	for (const [text, [line, column]] of Object.entries(faults)) {
		assert.throws(() => JSON.parse(text));
		assert.deepEqual(jsonFault(text), { line, column }, text);
	}
});

test('what is JSON has no fault', () => {
	for (const text of ['{"a": [1, -2.5e3, true, null, "\\u00e9\\n"], "b": {}}', ' [] ', '0', '"x"'])
		assert.equal(jsonFault(text), null, text);
});
