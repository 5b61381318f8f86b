"""Labels to train on, made of what data sets come with."""
