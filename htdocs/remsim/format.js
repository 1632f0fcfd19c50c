/** Numbers, units, times and ages as people read them. */

export const NONE = '–';
const THIN = '\u202f'; // of the thin spaces the one at which no line breaks
const MINUS = '−';

let locale;
let signs = null;
const names = new Map();

/** Write numbers and the names of days and months as people of a language do; null: as the browser's language has it. */
export function useLocale(wanted) {
	try {
		locale = Intl.getCanonicalLocales(wanted || globalThis.navigator?.language || 'en')[0];
	} catch {
		locale = 'en'; // a name that no browser knows
	}
	signs = null;
	names.clear();
}

useLocale(null);

/** {decimal, digits} of the language; asked once, for the browser takes its time to answer. */
function signsOf() {
	const format = /^en\b/.test(locale) ? null : new Intl.NumberFormat(locale, { useGrouping: false });
	return {
		decimal: format ? format.formatToParts(0.5).find(part => part.type === 'decimal').value : '.',
		digits: format && format.format(0) !== '0' ? Array.from({ length: 10 }, (_, digit) => format.format(digit)) : null
	};
}

/** A number with a real minus sign; `–` for unknown. */
export function number(value, digits = 0) {
	if (value === null || value === undefined || !Number.isFinite(value))
		return NONE;
	signs ||= signsOf();
	let text = Math.abs(value).toFixed(digits);
	const isBelow = value < 0 && Number(text) !== 0;
	if (signs.decimal !== '.')
		text = text.replace('.', signs.decimal);
	if (signs.digits)
		text = text.replace(/\d/g, digit => signs.digits[digit]);
	return isBelow ? MINUS + text : text;
}

/** A value with its unit. */
export function withUnit(value, unit, digits = 0) {
	const text = number(value, digits);
	return text === NONE ? NONE : `${text}${THIN}${unit}`;
}

const RATES = [[1e9, 'Gbit/s'], [1e6, 'Mbit/s'], [1e3, 'kbit/s'], [1, 'bit/s']];

/** A bit rate with three significant digits at most. */
export function bitRate(bitsPerS) {
	return scaled(bitsPerS, RATES, 'bit/s');
}

/** Two bit rates in one unit, the larger one's: `41 · 8.3 Mbit/s`; each in its own where the smaller would show no digits. */
export function bitRates(one, other) {
	return pair(one, other, RATES);
}

const SIZES = [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB'], [1, 'B']];

/** An amount of data. */
export function bytes(value) {
	return scaled(value, SIZES, 'B');
}

/** A price; `currency` is whatever the user calls it. */
export function money(value, currency) {
	return currency ? `${number(value, 2)}\u202f${currency}` : number(value, 2);
}

/** Two amounts of data in one unit. */
export function sizes(one, other) {
	return pair(one, other, SIZES);
}

/** A smaller part than this of the larger one's unit would be hardly a digit, or a zero. */
const LEAST_PART = 100;

function pair(one, other, units) {
	const known = [one, other].filter(value => Number.isFinite(value));
	if (!known.length)
		return NONE;
	const largest = Math.max(...known);
	const [factor, unit] = units.find(([least]) => largest >= least) || units[units.length - 1];
	if (known.some(value => value > 0 && value < factor / LEAST_PART))
		return [one, other].map(value => scaled(value, units, units[units.length - 1][1])).join(' · ');
	const shown = [one, other].map(value => {
		if (value === 0 || !Number.isFinite(value))
			return number(value);
		const part = value / factor;
		return number(part, factor === 1 || part >= 9.95 ? 0 : part >= 0.95 ? 1 : part >= 0.095 ? 2 : 3);
	});
	return `${shown.join(' · ')}${THIN}${unit}`;
}

function scaled(value, units, smallest) {
	if (value === null || value === undefined || !Number.isFinite(value))
		return NONE;
	for (const [factor, unit] of units) {
		if (Math.abs(value) >= factor)
			return withUnit(value / factor, unit, value / factor < 9.95 && factor > 1 ? 1 : 0);
	}
	return withUnit(value, smallest);
}

/** An integer with thin spaces between thousands. */
export function count(value) {
	if (value === null || value === undefined)
		return NONE;
	return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** A duration in its two largest units: `2 h 14 min`. */
export function duration(seconds) {
	if (seconds === null || seconds === undefined || !Number.isFinite(seconds))
		return NONE;
	const s = Math.max(0, Math.floor(seconds));
	const parts = [[Math.floor(s / 86400), 'd'], [Math.floor(s / 3600) % 24, 'h'], [Math.floor(s / 60) % 60, 'min'], [s % 60, 's']];
	const first = parts.findIndex(part => part[0] > 0);
	if (first < 0)
		return `0${THIN}s`;
	return parts.slice(first, first + 2).filter(part => part[0] > 0).map(part => `${part[0]}${THIN}${part[1]}`).join(' ');
}

/** How long a state lasts, without seconds once it has a minute: a sentence that does not move all the time. */
export function lasting(seconds) {
	return duration(seconds >= 60 ? Math.floor(seconds / 60) * 60 : seconds);
}

/** The short name of a date's `weekday` or `month`. */
function nameOf(part, date) {
	if (!names.has(part))
		names.set(part, new Intl.DateTimeFormat(locale, { [part]: 'short', timeZone: 'UTC' }));
	return names.get(part).format(date);
}

let utc = false;

/** Show all times in UTC, or in the browser's own zone. */
export function showUtc(wanted) {
	utc = wanted;
}

/** Seconds that UTC is ahead of the times shown. */
export function zoneS(epochS) {
	return utc ? 0 : new Date(epochS * 1000).getTimezoneOffset() * 60;
}

/** A date whose UTC fields are what is shown. */
const fields = epochS => new Date((epochS - zoneS(epochS)) * 1000);

/** A moment as a `datetime-local` field has it, in the zone shown. */
export function inputTime(epochS) {
	return fields(epochS).toISOString().slice(0, 19);
}

/** The moment that such a field's text means; NaN for none. */
export function timeOf(text) {
	return Date.parse(utc ? `${text}Z` : text) / 1000;
}

/** Time of day, with seconds when wanted. */
export function clock(epochS, seconds = false) {
	return fields(epochS).toISOString().slice(11, seconds ? 19 : 16);
}

/** A point in time for lists: the day only when it is not today. */
export function moment(epochS, nowS, seconds = true) {
	const day = fields(epochS).toISOString().slice(0, 10);
	return day === fields(nowS).toISOString().slice(0, 10) ? clock(epochS, seconds) : `${day} ${clock(epochS, seconds)}`;
}

/** The label of a tick on a time axis over `spanS` seconds; midnight and what is past a day have the day's name. */
export function tick(epochS, spanS) {
	const date = fields(epochS);
	const day = `${nameOf('weekday', date)} ${date.getUTCDate()}`;
	if (spanS <= 86400)
		return clock(epochS) === '00:00' ? day : clock(epochS);
	if (spanS <= 86400 * 8)
		return clock(epochS) === '00:00' ? day : `${nameOf('weekday', date)} ${clock(epochS)}`;
	if (spanS <= 86400 * 60)
		return `${day} ${nameOf('month', date)}`;
	return `${nameOf('month', date)} ${date.getUTCFullYear()}`;
}

/** Steps between ticks that people count in. */
export function tickStep(spanS, wanted) {
	const steps = [10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 5184000];
	return steps.find(step => spanS / step <= wanted) || 7776000;
}

/** The seconds of an ISO time. */
export function epoch(iso) {
	return iso === null || iso === undefined ? null : Date.parse(iso) / 1000;
}

/** A cell identity as people look it up: eNB and sector for LTE, with hex. */
export function cellName(reading) {
	if (!reading || reading.cell_id === null || reading.cell_id === undefined)
		return NONE;
	const hex = reading.cell_id.toString(16).toUpperCase();
	if (reading.rat === 'LTE')
		return `${Math.floor(reading.cell_id / 256)}/${reading.cell_id % 256} (0x${hex})`;
	return `${reading.cell_id} (0x${hex})`;
}
