// Passkeys: the server's options go to the browser's authenticator, and its answer goes back with the form.
(() => {
  "use strict";

  const optionsOf = async (form) => {
    if (form.dataset.options) {
      return JSON.parse(document.getElementById(form.dataset.options).textContent);
    }
    const answer = await fetch(form.dataset.optionsUrl, { headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } });
    if (!answer.ok) {
      throw new Error(`answer ${answer.status}`);
    }
    return answer.json();
  };

  const created = (options, passwordless) => {
    const choice = options.creation_options.publicKey.authenticatorSelection;
    choice.residentKey = passwordless ? "required" : "discouraged";
    choice.requireResidentKey = passwordless;
    if (passwordless) {
      choice.userVerification = "required";
    }
    return window.webauthnJSON.create(options.creation_options);
  };

  const credential = async (form) => {
    const options = await optionsOf(form);
    const create = form.dataset.passkey === "create";
    return create ? created(options, form.elements.passwordless?.checked ?? false) : window.webauthnJSON.get(options.request_options);
  };

  const ask = async (form) => {
    const says = form.querySelector("[data-passkey-says]");
    says.textContent = document.body.dataset.passkeyAsks;
    try {
      form.elements.credential.value = JSON.stringify(await credential(form));
      form.submit();
    } catch {
      says.textContent = document.body.dataset.passkeyFailed;
    }
  };

  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-passkey]")) {
      event.preventDefault();
      ask(event.target);
    }
  });
})();
