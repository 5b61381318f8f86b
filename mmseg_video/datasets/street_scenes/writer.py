def write_street_scenes():
    pass
