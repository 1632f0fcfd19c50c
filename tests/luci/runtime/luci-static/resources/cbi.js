/* Globals that exist before the client runtime: translation and text formats. */
'use strict';

window._ = function(text) {
	return window.TR?.[text] ?? text;
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
