// Stands in for Stripe.js: notes what it is asked for, frames and asks as the real one does, and answers as told.
window.asked = [];
window.answer = { error: { type: "card_error", message: "Your card was declined." } };
window.Stripe = (key) => {
  window.asked.push(["Stripe", key]);
  return {
    elements: (options) => {
      window.asked.push(["elements", options]);
      return {
        create: (type) => {
          window.asked.push(["create", type]);
          const heard = {};
          return {
            on: (event, listener) => (heard[event] = listener),
            mount: async (place) => {
              window.asked.push(["mount", place]);
              const frame = document.createElement("iframe");
              frame.src = "https://js.stripe.com/v3/elements-inner-payment.html";
              frame.title = "Secure payment input frame";
              document.querySelector(place).append(frame);
              const reply = await fetch("https://api.stripe.com/v1/elements/sessions");
              heard[reply.ok ? "ready" : "loaderror"]();
            },
          };
        },
      };
    },
    confirmPayment: confirm("confirmPayment"),
    confirmSetup: confirm("confirmSetup"),
  };
};
function confirm(name) {
  return async ({ elements, confirmParams }) => {
    window.asked.push([name, Boolean(elements), confirmParams]);
    if (!window.answer) location.assign(confirmParams.return_url);
    return window.answer || new Promise(() => {});
  };
}
