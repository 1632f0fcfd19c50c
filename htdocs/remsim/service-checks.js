/** What the service tells about itself, judged. Each check is {name, look, text, hint}. */

import { bytes, count, duration } from './format.js';
import { msg } from './words.js';

const LEAST_FREE = { data: 2e6, state: 1e6 };
const LOW_FREE_SHARE = 0.05;
const MUCH_MEMORY = 96e6;

const PLACES = { data: msg('Space for series'), state: msg('Space for settings and events') };

function storageChecks({ storage }, t) {
	return storage.map(one => {
		const name = t(PLACES[one.name] || one.name), place = t('%s free of %s in %s', bytes(one.free_bytes), bytes(one.total_bytes), one.path);
		if (one.free_bytes === null || !one.is_writable)
			return { name, look: 'bad', text: t('%s cannot be written', one.path), hint: t('Check that the directory is there and its file system is not read-only.') };
		if (one.free_bytes < LEAST_FREE[one.name])
			return { name, look: 'bad', text: place, hint: t('Delete what is not needed, or set another directory. Nothing is kept when it is full.') };
		const isLow = one.total_bytes && one.free_bytes / one.total_bytes < LOW_FREE_SHARE;
		return { name, look: isLow ? 'warn' : 'ok', text: place, hint: isLow ? t('It is nearly full: delete what is not needed.') : null };
	});
}

function clockCheck({ clock }, t) {
	const name = t('Clock of the router');
	return clock.is_set ? { name, look: 'ok', text: t('set') }
		: { name, look: 'bad', text: t('not set since the router started'), hint: t('Check the time servers (System › System › Time Synchronization). What is recorded gets its true time once it is set.') };
}

function streamCheck({ web }, t) {
	const name = t('Live streams'), isFull = web.streams_open >= web.streams_max;
	return { name, look: isFull ? 'warn' : 'ok', text: t('%s of %s open, served at %s', web.streams_open, web.streams_max, web.listen), hint: isFull ? t('Who comes now polls. Raise “max_streams” of the section web.') : null };
}

function processCheck({ service }, t) {
	const used = service.memory_bytes, isMuch = used > MUCH_MEMORY;
	return { name: t('Service'), look: isMuch ? 'warn' : 'ok', text: t('version %s, up %s, %s in memory, %s threads', service.version, duration(service.uptime_s), bytes(used), count(service.threads)), hint: isMuch ? t('This is more than usual. Send the text below to the developers, then restart the service.') : null };
}

function fileCheck({ databases, series }, t) {
	const total = databases.reduce((sum, one) => sum + one.bytes, 0);
	return { name: t('Files'), look: 'ok', text: t('series %s in %s files, databases %s', bytes(series.bytes), count(series.files), bytes(total)) };
}

/** All checks of an answer of `diagnostics`. */
export function serviceChecks(facts, t) {
	const wrong = facts.problems.map(problem => ({ name: t('Problem'), look: 'bad', text: problem.message, hint: problem.hint }));
	return [...wrong, processCheck(facts, t), clockCheck(facts, t), ...storageChecks(facts, t), fileCheck(facts, t), streamCheck(facts, t)];
}
