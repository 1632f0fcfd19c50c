/** Lines that two texts share and do not: [{kind: same|gone|new, text}]. No elements here. */

const MOST = 4000;

export function differences(before, after) {
	const a = before.split('\n'), b = after.split('\n');
	let head = 0, tail = 0;
	while (head < a.length && head < b.length && a[head] === b[head])
		head += 1;
	while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail])
		tail += 1;
	const from = a.slice(head, a.length - tail), to = b.slice(head, b.length - tail);
	const row = kind => text => ({ kind, text });
	const middle = from.length * to.length > MOST * MOST / 4 ? [...from.map(row('gone')), ...to.map(row('new'))] : longest(from, to);
	return [...a.slice(0, head).map(row('same')), ...middle, ...a.slice(a.length - tail).map(row('same'))];
}

/** By the longest common sequence of lines. */
function longest(a, b) {
	const width = b.length + 1, lengths = new Uint32Array((a.length + 1) * width);
	for (let i = a.length - 1; i >= 0; i--) {
		for (let j = b.length - 1; j >= 0; j--)
			lengths[i * width + j] = a[i] === b[j] ? lengths[(i + 1) * width + j + 1] + 1 : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
	}
	const found = [];
	let i = 0, j = 0;
	while (i < a.length || j < b.length) {
		if (i < a.length && j < b.length && a[i] === b[j]) {
			found.push({ kind: 'same', text: a[i] });
			i += 1;
			j += 1;
		} else if (i < a.length && (j === b.length || lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]))
			found.push({ kind: 'gone', text: a[i++] });
		else
			found.push({ kind: 'new', text: b[j++] });
	}
	return found;
}

/** Only what changed, with `around` lines of the rest; null stands for lines left out. */
export function shortened(rows, around = 2) {
	const near = new Set();
	rows.forEach((row, at) => {
		if (row.kind !== 'same') {
			for (let one = at - around; one <= at + around; one++)
				near.add(one);
		}
	});
	const found = [];
	rows.forEach((row, at) => {
		if (near.has(at))
			found.push(row);
		else if (found.length && found.at(-1) !== null)
			found.push(null);
	});
	if (found.at(-1) === null)
		found.pop();
	return found;
}
