"""How people ask: the frames that questions about a term, a flag or anything else are put into."""

WHAT = """what are {x}|What are {x}?|What's {x}?|What does {x} stand for?|How would you explain {x}?|How is {x} used?|What do people call {x}?|What is {x} all about?
What do you call {x}?|Please describe {x}.|What's the idea of {x}?|What's the meaning of {x}?|Explain {x} please.|explain {x} please|{x} please|what is {x} here
what is {x}|What is {x}?|what's {x}|What does {x} mean?|what does {x} mean|Explain {x}.|explain {x}|Define {x}.
define {x}|Can you explain {x}?|Could you explain {x} to me?|Please explain {x}.|What do you mean by {x}?|{x}|{x}?|What exactly is {x}?
What is meant by {x}?|meaning of {x}|definition of {x}|Give me a definition of {x}.|Describe {x}.|Tell me about {x}.|tell me about {x}
What is {x} in LLM serving?|In LLM serving, what is {x}?|What is {x} in CServe?|I do not understand {x}.|I don't know what {x} is.
What do I need to know about {x}?|Explain {x} in simple words.|Explain {x} in one sentence.|Explain {x} briefly.|what is {x} about
What does the term {x} mean?|Who can tell me what {x} is?|Do you know what {x} is?|do you know {x}|How would you define {x}?
What is {x} and what is it for?|So what is {x}?|And what is {x}?|Could you tell me what {x} is?|Can you tell me what {x} means?
I have a question: what is {x}?|Explain the concept of {x}.|Explain what {x} is.|Explain to me what {x} means.|how does {x} work
How does {x} work?|Help me understand {x}.|Give a short explanation of {x}.|What can you tell me about {x}?|I want to learn about {x}.
What is {x}, in short?|In one or two sentences, what is {x}?|I keep hearing about {x}. What is it?|Someone mentioned {x}. What does it mean?
Give me the basics of {x}.|Would you explain {x}?|Tell me what {x} is.|tell me what {x} means|Introduce {x} to me.|I'd like to know what {x} is."""

WHY = """What's {x} good for?|What are {x} good for?|How does {x} help?|How would {x} help?|Why does {x} help?|Why do {x} matter?
Why does {x} matter?|why is {x} important|Why is {x} important?|What is {x} good for?|why do I need {x}|Why do I need {x}?
What is the use of {x}?|When is {x} useful?|Why should I care about {x}?|What are the benefits of {x}?|What is the point of {x}?
why {x}|Why {x}?|Why would I use {x}?|What is the purpose of {x}?|what problem does {x} solve|Is {x} important?|Why is {x} useful?
What is the advantage of {x}?|Why do people talk about {x}?|Why does CServe need {x}?|How important is {x}?|What does {x} bring me?"""

DETAIL = """Tell me everything about {x}.|Explain {x} in detail.|Tell me all about {x}.|Give me a long explanation of {x}.
Write a paragraph about {x}.|Write about {x}.|Explain {x} at length.|What should I know about {x}? Be detailed.|Write a short text about {x}.
Tell me more about {x}.|Give me details about {x}.|I want to know everything about {x}.|Explain {x} thoroughly.|Write an essay about {x}.
tell me everything you know about {x}|explain in detail {x}|Explain {x} with an example.|Explain {x} in three sentences.|Write a few sentences on {x}."""

FLAG = """What's {x}?|Explain {x} please.|What is {x} about?|What does {x} mean?|What does {x} set?|What does {x} change?|Describe {x}.|Tell me what {x} does.
What does {x} do?|what does {x} do|What is {x}?|what is {x}|Explain {x}.|explain {x}|What is {x} for?|How do I use {x}?|how to use {x}
{x}|{x}?|What does the flag {x} mean?|What is the meaning of {x}?|Tell me about {x}.|When should I use {x}?|What is the default of {x}?
What is the default value of {x}?|describe {x}|What happens when I set {x}?|What does the option {x} do?|Can you explain {x}?|Why would I set {x}?
What does the setting {x} do?|Give me an example of {x}.|how do I set {x}|How do I set {x}?|Which values does {x} take?|What is {x} in the recipe?"""

TASK = """How do I {x}?|how do I {x}|How can I {x}?|how to {x}|How to {x}?|Which flag do I use to {x}?|I want to {x}.|I would like to {x}.
Can I {x}?|Is it possible to {x}?|What is the flag to {x}?|Is there a way to {x}?|What do I have to do to {x}?|Help me {x}.|Tell me how to {x}."""

PLACE = """What is the capital of {x}?|what is the capital of {x}|Where is {x}?|Tell me about {x}.|What is the weather in {x}?|How many people live in {x}?
What should I see in {x}?|What language do they speak in {x}?|Plan a trip to {x}.|What is {x} famous for?|Who is the president of {x}?
What is the history of {x}?|Is {x} expensive?|How do I get to {x}?|What food do people eat in {x}?|Which is larger, {x} or Texas?|capital of {x}
Name three cities in {x}.|What time is it in {x}?|What is the population of {x}?|The capital of {x} is|weather in {x}"""

PERSON = """Who is {x}?|Who was {x}?|Tell me about {x}.|When was {x} born?|What did {x} do?|Write a biography of {x}.|Where was {x} born?
How old is {x}?|Is {x} alive?|Why is {x} famous?|What do you think of {x}?|who is {x}|Write a poem about {x}.|Quote {x}."""

WRITE = """Write {x}.|Write me {x}.|write {x}|Can you write {x}?|Please write {x}.|Give me {x}.|I need {x}.|Could you make {x}?|Compose {x}.|Create {x} for me.
Help me write {x}.|Tell me {x}.|Generate {x}.|Make {x}.|I want you to write {x}."""

OFFTOPIC_EXTRA = """Why is {x} so expensive?|What is the history of {x}?|Who invented {x}?|How much does {x} cost?|Where can I buy {x}?|Do you like {x}?
What colour is {x}?|Is {x} dangerous?|Give me three facts about {x}.|Write a poem about {x}.|Is {x} better than television?|Where does {x} come from?
When was {x} discovered?|I love {x}.|I hate {x}.|What do you think about {x}?|How big is {x}?|Tell me a joke about {x}.|Draw {x}.|Translate {x} into German."""

MORE = """Tell me more.|tell me more|More, please.|Can you say more?|go on|Go on.|Anything else?|What else should I know?|Please continue.|continue"""
WHY_IT = """Why does it matter?|why does that matter|Why is it important?|Why?|why|What is it good for?|Why is that useful?|Why do I need it?"""

SYSTEM = """You are a helpful assistant.|You are a helpful assistant.|You are a helpful assistant.|You are CServe's assistant.|You are a friendly assistant.
Be brief.|Answer briefly.|Answer in English.|You are an expert in LLM serving.|You are a polite support agent for CServe.|Be concise.
You are a chatbot.|Answer in one or two sentences.|You are an AI assistant that helps people find information.|Always be honest.|test
You are a pirate.|You are an experienced engineer.|You answer questions about software.|Today is Monday.|The user is new to CServe.
You are a helpful, respectful and honest assistant.|You are a helpful AI assistant. Answer the user's questions.|Reply politely.|Be nice."""

REFUSALS = [
    "I am CServe's small built-in model, so I can't answer that. Ask me about CServe, its flags or LLM serving.",
    "I am CServe's small built-in model and know only CServe and LLM serving. For other questions, serve a larger model with --model.",
    "That is beyond me: I am CServe's small built-in model. I can tell you about CServe, its flags and LLM serving words.",
    "I am CServe's small built-in model, and I do not know that. Try a question such as: What is the KV cache?",
]
UNKNOWN_FLAG = "I do not know that flag. Run cserve serve --help to see all flags."


def frames(text: str) -> list[str]:
    """The frames of one block: separated by bars and line ends."""
    return [frame for line in text.split("\n") for frame in line.split("|") if frame]
