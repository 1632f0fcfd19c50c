/** eSIM in words: steps, classes, policies, and why something failed with the one thing to press then. No elements here. */

import { msg } from './words.js';

/** What can be pressed after a failure. */
export const ACTS = {
	again: msg('Try again'), other: msg('Enter another code'), confirm: msg('Try again and type the confirmation code'), delete: msg('Choose a profile to delete'),
	eid: msg('Show the EID for the operator'), lab: msg('Give a certificate authority'), clock: msg('Look at the clock'), installed: msg('Switch to it'),
	restart: msg('To the modem'), read: msg('Read the card anew'), report: msg('Diagnosis'), card: msg('Choose another card'), sim: msg('Look at the signal'), plan: msg('Choose a profile'), settings: msg('Settings'), slot: msg('Slots of this modem')
};

/** By the code of `esim/refusals.py`: what is wrong, what to do, and which of ACTS fits. */
export const FAILURES = {
	code_unknown: [msg('The activation code is unknown, already used, or meant for another device.'), msg('Ask the operator for a new activation code.'), 'other'],
	code_conflict: [msg('The activation code conflicts with another order that waits for this card.'), msg('Ask the operator for a new activation code.'), 'other'],
	other_euicc: [msg('The profile is reserved for another card: its EID is not this one\'s.'), msg('Give the operator this card\'s EID and ask for a new activation code.'), 'eid'],
	no_order: [msg('The operator has no profile waiting for this card\'s EID.'), msg('Give the operator this card\'s EID and ask for a new activation code.'), 'eid'],
	bound_to_other: [msg('The profile is bound to another card already.'), msg('Give the operator this card\'s EID and ask for a new activation code.'), 'eid'],
	not_released: [msg('The operator has not released the profile yet.'), msg('Try again later, or ask the operator.'), 'again'],
	not_bindable: [msg('This profile cannot be downloaded any more.'), msg('Ask the operator for a new activation code.'), 'other'],
	profile_unavailable: [msg('The operator\'s server does not have this profile, or may not give it.'), msg('Ask the operator for a new activation code.'), 'other'],
	profile_type: [msg('The operator has no profile of the kind that was ordered.'), msg('Ask the operator for a new activation code.'), 'other'],
	not_eligible: [msg('The operator has no profile that suits this device or card.'), msg('Ask the operator whether it supports this modem.'), 'card'],
	order_expired: [msg('The order has expired.'), msg('Ask the operator for a new activation code.'), 'other'],
	too_many_tries: [msg('The download was tried too often, and the order is blocked.'), msg('Ask the operator for a new activation code.'), 'other'],
	confirmation_needed: [msg('The operator asks for a confirmation code.'), msg('Start again and type the confirmation code that came with the activation code.'), 'confirm'],
	confirmation_wrong: [msg('The confirmation code is wrong.'), msg('Start again with the right one.'), 'confirm'],
	confirmation_blocked: [msg('A wrong confirmation code was given too often, and the order is blocked.'), msg('Ask the operator for a new activation code.'), 'other'],
	no_memory: [msg('The card has not enough free memory for this profile.'), msg('Delete a profile, then try again.'), 'delete'],
	card_signature: [msg('The server does not accept the card\'s signature, or the session.'), msg('Start the download again.'), 'again'],
	eum_certificate: [msg('The certificate of the card\'s manufacturer is not valid for this server.'), msg('Use another card, or another operator; this cannot be changed from here.'), 'card'],
	euicc_certificate: [msg('The card\'s certificate is not valid for this server.'), msg('Use another card, or another operator; this cannot be changed from here.'), 'card'],
	eid_range: [msg('The card\'s EID is outside what its manufacturer\'s certificate allows.'), msg('Use another card; this one was made wrongly.'), 'card'],
	no_common_root: [msg('Card and server trust no common authority, as between a test card and an operator\'s server.'), msg('Use a card that was made for this operator\'s server.'), 'card'],
	version_unsupported: [msg('The server does not support the version of the card.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	no_certificate: [msg('The server has no certificate that this card could check.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	root_unknown: [msg('The server does not know the authority of this card.'), msg('Use another card, or another operator.'), 'card'],
	oid_mismatch: [msg('The server has another number (OID) than the activation code says.'), msg('Ask the operator for a new activation code.'), 'other'],
	address_mismatch: [msg('The server goes by another name than the activation code says.'), msg('Compare the address in the code with what the operator wrote.'), 'other'],
	session_lost: [msg('The server does not know this session any more: it timed out.'), msg('Start the download again.'), 'again'],
	no_event: [msg('Nothing waits for this card at the discovery server.'), msg('Use the operator\'s activation code.'), 'other'],
	event_exists: [msg('The discovery server holds this event already.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	smds_failed: [msg('The discovery server failed, or cannot be reached by the operator.'), msg('Try again later.'), 'again'],
	request_malformed: [msg('The server does not understand the request.'), msg('Report this to the makers of this console.'), 'report'],
	smdp_refused: [msg('The server refuses.'), msg('Ask the operator, and name the numbers in brackets.'), 'again'],
	smdp_unreachable: [msg('The operator\'s server cannot be reached.'), msg('Check the router\'s connection to the internet; a download needs one.'), 'again'],
	smdp_private: [msg('The server is this router, or in its local network, where no operator\'s server is.'), msg('Compare the address with what the operator wrote; in a laboratory, give its certificate authority.'), 'lab'],
	smdp_timeout: [msg('The server does not answer in time.'), msg('Try again; if it stays so, ask the operator.'), 'again'],
	smdp_cut: [msg('The connection to the server was cut before its answer was whole.'), msg('Try again.'), 'again'],
	server_fault: [msg('The server has a fault of its own.'), msg('Try again later; if it stays so, tell the operator.'), 'again'],
	server_absent: [msg('The server does not know the functions of an operator\'s server.'), msg('Compare the address with what the operator wrote.'), 'other'],
	server_redirect: [msg('The server sends to another address, which is not followed.'), msg('Compare the address with what the operator wrote.'), 'other'],
	server_reply: [msg('The server\'s answer cannot be read.'), msg('Compare the address with what the operator wrote.'), 'other'],
	server_empty: [msg('The server gives no answer where one is due.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	server_too_large: [msg('The server\'s answer is larger than any profile.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	tls_untrusted: [msg('The server\'s certificate is of no authority that is trusted.'), msg('Compare the address with what the operator wrote; in a laboratory, give its certificate authority.'), 'lab'],
	tls_wrong_host: [msg('The server\'s certificate is for another name.'), msg('Compare the address with what the operator wrote.'), 'other'],
	tls_expired: [msg('The server\'s certificate has expired.'), msg('Check this router\'s clock, which is the usual cause; if it is right, tell the operator.'), 'clock'],
	tls_not_yet: [msg('The server\'s certificate is not valid yet.'), msg('Set this router\'s clock, or let NTP do so, then try again.'), 'clock'],
	tls_clock: [msg('This router\'s clock is wrong, so the server\'s certificate cannot be checked.'), msg('Set the clock, or let NTP do so, then try again.'), 'clock'],
	tls_failed: [msg('No secure connection to the server could be made.'), msg('Check this router\'s clock, which is the usual cause, then the address.'), 'clock'],
	eim_key: [msg('The key that the card has of its eIM cannot be used.'), msg('Ask who runs the eIM to correct its entry on the card.'), 'again'],
	eim_refused: [msg('The card does not take the eIM.'), msg('Ask the eIM\'s operator for another file.'), 'again'],
	eim_error: [msg('The eIM answers with an error.'), msg('Ask who runs the eIM.'), 'again'],
	lpac_missing: [msg('Lpac is not installed.'), msg('Install the package lpac, or have this console download profiles itself (settings).'), 'settings'],
	lpac_failed: [msg('Lpac did not download the profile.'), msg('Try again, or have this console download profiles itself (settings).'), 'again'],
	lab_ca: [msg('The given certificate authority cannot be read.'), msg('Give one or more certificates as PEM.'), 'lab'],
	roots_missing: [msg('The root certificates of this console cannot be read.'), msg('Install the package again.'), 'report'],
	wrong_challenge: [msg('The server signed another challenge than the card\'s: this is an answer to somebody else, or an old one.'), msg('Start the download again; if it stays so, somebody is between this router and the server.'), 'again'],
	wrong_transaction: [msg('The server mixes this session up with another one.'), msg('Start the download again.'), 'again'],
	already_installed: [msg('This profile is on the card already.'), msg('Enable it; to download it anew, delete it first and let the operator know of that.'), 'installed'],
	metadata_mismatch: [msg('The package is for another profile than the one that was announced.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	policy_not_allowed: [msg('The card does not allow what the operator demands for this profile.'), msg('Ask the operator for a new activation code.'), 'other'],
	server_certificate: [msg('The card does not accept the server\'s certificate.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	server_signature: [msg('The card finds the server\'s signature wrong.'), msg('Try again; if it stays so, tell the operator.'), 'again'],
	server_curve: [msg('The card does not know the server\'s kind of keys.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	server_oid: [msg('The card finds another number (OID) in the server\'s certificate.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	card_session: [msg('The card has forgotten this session.'), msg('Start the download again.'), 'again'],
	euicc_reply: [msg('The card\'s answer is not understood.'), msg('Try again; if it stays so, restart the modem.'), 'again'],
	card_refused: [msg('The card refuses this download and gives no reason.'), msg('Restart the modem, then try again.'), 'restart'],
	load_damaged: [msg('The package came damaged into the card.'), msg('Try again; if it stays so, tell the operator.'), 'again'],
	load_signature: [msg('The card finds the signature of the package wrong.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	load_session: [msg('The package is not for this session of the card.'), msg('Start the download again.'), 'again'],
	load_unsupported: [msg('The card does not know this kind of package.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	load_class: [msg('The card does not take profiles of this class.'), msg('Use a profile for ordinary use, or another card.'), 'other'],
	load_interrupted: [msg('The card was interrupted while it loaded the profile.'), msg('Try again.'), 'again'],
	load_profile: [msg('The card cannot make use of what is in the profile.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	load_mismatch: [msg('The profile in the package is not the one that was announced.'), msg('Tell the operator; only its server can be put right.'), 'again'],
	load_test_key: [msg('The test profile has a key that test profiles may not have.'), msg('Use another test profile.'), 'other'],
	load_failed: [msg('The card did not install the profile and gives no reason.'), msg('Restart the modem, then try again; the activation code may be used up.'), 'restart'],
	load_cut: [msg('The package did not get into the card whole, and the profile is not there.'), msg('Restart the modem, choose another way to the card in its settings, then try again; the activation code may be used up.'), 'restart'],
	load_unknown: [msg('Whether the profile is on the card cannot be told, for the card does not answer any more.'), msg('Wait for the modem, then read the card anew before you try again.'), 'read'],
	profile_not_found: [msg('The card does not have this profile any more.'), msg('Read the card anew.'), 'read'],
	profile_not_disabled: [msg('The profile is enabled.'), msg('Disable it first, or enable another one.'), 'read'],
	profile_not_enabled: [msg('The profile is not enabled.'), msg('Read the card anew.'), 'read'],
	profile_policy: [msg('The operator\'s policy for this profile does not allow it.'), msg('Ask the operator.'), 'again'],
	profile_reenabling: [msg('The card wants the profile that it had enabled before.'), msg('Enable that one first.'), 'read'],
	profile_busy: [msg('The card is busy with a command of its own.'), msg('Wait a few seconds and try again.'), 'again'],
	profile_refused: [msg('The card refuses and gives no reason.'), msg('Restart the modem, then try again.'), 'restart'],
	declined: [msg('The download was declined.'), msg('Nothing was changed; the activation code can be used later.'), 'again'],
	consent_timeout: [msg('Nobody agreed to the profile in time.'), msg('Start again; the activation code was not used up.'), 'again']
};

/** Codes of other parts, whose sentences name what they are about: which of ACTS fits. */
const OTHERS = {
	clock: 'clock', busy: 'again', card_away: 'restart', esim_loading: 'again', card_not_read: 'restart', not_registered: 'sim', switch_returned: 'sim', return_failed: 'read',
	profile_enabled: 'read', profile_disabled: 'read', name_differs: 'again', code_used: 'other', at_timeout: 'again', modem_gone: 'restart', no_euicc: 'slot', no_card: 'slot', card_way: 'restart', card_busy: 'again', port_busy: 'restart'
};

/** Steps of jobs, in the order in which they come; what comes between is told as it is. */
export const STEPS = {
	'esim-download': [
		['checking the way to the server', msg('The way to the operator’s server')], ['opening the card', msg('The card is opened')], ['asking the server who it is', msg('The server says who it is')],
		['the card checks the server', msg('The card checks the server')], ['asking for the profile', msg('The server checks the card and names the profile')], ['waiting for your consent', msg('You agree to the profile')],
		['preparing the card', msg('The card is prepared')], ['fetching the profile', msg('The profile comes from the server')], ['loading the profile', msg('The profile is loaded into the card')], ['telling the operator', msg('The operator is told')]
	],
	'esim-switch': [
		['opening the card', msg('The card is opened')], ['switching', msg('The card switches')], ['having the modem read its card anew', msg('The modem reads its card anew')], ['setting the access point', msg('The access point is set')],
		['waiting for the network', msg('The network takes it')], ['telling the operator', msg('The operators are told')]
	]
};

/** Steps that only some jobs have. */
export const RARE = ['setting the access point'];

export const CLASS_WORDS = { operational: msg('for ordinary use'), test: msg('test profile'), provisioning: msg('only for provisioning') };
export const POLICY_WORDS = { cannot_disable: msg('The operator does not let it be disabled.'), cannot_delete: msg('The operator does not let it be deleted.'), delete_on_disable: msg('It is deleted as soon as it is disabled.') };
export const OPERATION_WORDS = { install: msg('downloaded'), enable: msg('enabled'), disable: msg('disabled'), delete: msg('deleted') };
export const CODE_WORDS = { unused: msg('not used yet'), used: msg('used'), failed: msg('failed') };
export const PARTS = { smdp_address: msg('Server (SM-DP+)'), matching_id: msg('Code of the order'), oid: msg('Number of the server (OID)'), confirmation_code_required: msg('Confirmation code') };

/** A sentence begins with a capital and ends with a stop. */
export function sentence(text) {
	const told = String(text || '').trim();
	return told ? told[0].toUpperCase() + told.slice(1) + (/[.!?…]$/.test(told) ? '' : '.') : '';
}

/** A number of which only the end shows, never on a line of its own: `…0137`. */
export function endOf(masked) {
	return String(masked || '').replace(/•+/g, '…\u2060');
}

/** Why a job failed: {text, hint, raw: what card or server said, act}. `job` is any {code, error, hint}. */
export function failureOf(job, t) {
	const error = String(job.error || job.message || ''), known = FAILURES[job.code];
	if (!known)
		return { text: sentence(error) || t('It failed.'), hint: sentence(job.hint), raw: '', act: OTHERS[job.code] || 'again' };
	const [text, hint, act] = known, plain = text.slice(0, -1).toLowerCase(), isSame = error.toLowerCase().startsWith(plain);
	return { text: t(text), hint: t(hint), raw: (isSame ? error.slice(plain.length) : error).replace(/^[\s:(]+|\)$/g, '').replace(' (', ', '), act };
}

/** Where a job is: [{word, look: done, now, later or failed}] of its steps; empty for jobs without, and for a switch that went back over them. */
export function stepsOf(job, before = -1) {
	const steps = STEPS[job.kind] || [], found = steps.findIndex(([step]) => step === job.step), at = Math.max(found, before), isDone = job.state === 'done';
	if (job.kind === 'esim-switch' && ['failed', 'aborted'].includes(job.state))
		return { at, rows: [] };
	const here = ['failed', 'aborted'].includes(job.state) ? 'failed' : 'now';
	return {
		at,
		rows: steps.map(([step, word], place) => ({ step, word, look: isDone || place < at ? 'done' : place === at ? here : 'later' }))
			.filter(row => !RARE.includes(row.step) || row.look === here)
	};
}

/** The parts of an activation code as typed, for showing which of them is wrong: [{name, text}]. */
export function partsOf(text) {
	const bare = String(text).trim(), linked = /[?&]carddata=([^&#]*)/i.exec(bare);
	let code = bare;
	if (linked) {
		try {
			code = decodeURIComponent(linked[1]);
		} catch { /* it is shown as it stands */ }
	}
	const [, ...rest] = code.replace(/^lpa:/i, '').split('$');
	return ['smdp_address', 'matching_id', 'oid', 'confirmation_code_required'].map((name, at) => ({ name, text: (rest[at] || '').trim() })).filter((part, at) => at < 2 || part.text);
}
