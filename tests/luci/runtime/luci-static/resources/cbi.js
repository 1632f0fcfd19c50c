/* Globals that exist before the client runtime: translation and text formats. */
'use strict';

/* The key of a text in the catalogue: a hash of its UTF-8 (SuperFastHash), in hex. */
function keyOf(text) {
	const bytes = new TextEncoder().encode(text.trim().replace(/[ \t\n]+/g, ' '));
	const rest = bytes.length % 4, low = at => bytes[at] | bytes[at + 1] << 8, signed = at => bytes[at] << 24 >> 24;
	let hash = bytes.length;
	const mix = (left, right) => { hash ^= hash << left; hash += hash >>> right; };
	for (let at = 0; at < bytes.length - rest; at += 4) {
		hash += low(at);
		hash = hash << 16 ^ (low(at + 2) << 11 ^ hash);
		hash += hash >>> 11;
	}
	const end = bytes.length - rest;
	if (rest === 3) {
		hash += low(end);
		hash ^= hash << 16;
		hash ^= signed(end + 2) << 18;
		hash += hash >>> 11;
	} else if (rest === 2) {
		hash += low(end);
		mix(11, 17);
	} else if (rest === 1) {
		hash += signed(end);
		mix(10, 1);
	}
	mix(3, 5);
	mix(4, 17);
	mix(25, 6);
	return (hash >>> 0).toString(16).padStart(8, '0');
}

window._ = function(text) {
	return window.TR?.[keyOf(text)] ?? text;
};

window.N_ = function(count, one, many) {
	return _(count === 1 ? one : many);
};

window.cbi_init = () => {};

const FORMATS = {
	s: value => String(value),
	d: value => String(Math.trunc(Number(value))),
	f: (value, digits) => Number(value).toFixed(digits ?? 6),
	x: value => Number(value).toString(16),
	h: value => String(value).replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`)
};

/* '%s of %d'.format(…): the conversions that pages use most; %h escapes markup, %% is a percent sign. */
String.prototype.format = function(...values) {
	return this.replace(/%(?:%|(0)?(\d+)?(?:\.(\d+))?([sdfxh]))/g, (found, zero, width, digits, kind) => {
		if (found === '%%')
			return '%';
		return FORMATS[kind](values.shift() ?? '', digits).padStart(Number(width ?? 0), zero ?? ' ');
	});
};
